import type { Node, NodeSelectorTerm, Pod } from '@orrery/api';
import { newOf, oldOf } from '../../framework/cluster-event.js';
import { intersection } from '../../framework/intersection.js';
import { nodeMatchesPod, nodeMatchesTerm } from '@orrery/controller';
import { normalizeByLargest } from '../../framework/normalize.js';
import type { PluginEntry } from '../../framework/plugin.js';
import { skip, success, unresolvable } from '../../framework/status.js';

const NAME = 'NodeAffinity';
const REFUSED = "node(s) didn't match Pod's node affinity/selector";

const namesOf = (term: NodeSelectorTerm): ReadonlySet<string> | undefined => {
  const lists = (term.matchFields ?? [])
    .filter((each) => each.key === 'metadata.name' && each.operator === 'In')
    .map((each) => new Set(each.values ?? []));
  if (lists.length === 0) return undefined;
  return lists.reduce<ReadonlySet<string>>(intersection, lists[0] ?? new Set());
};

/** The only nodes that can match when each term names its nodes; undefined when one does not. */
export function namedNodes(pod: Pod): ReadonlySet<string> | undefined {
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (!required?.nodeSelectorTerms?.length) return undefined;
  const all = new Set<string>();
  for (const term of required.nodeSelectorTerms) {
    const names = namesOf(term);
    if (!names) return undefined;
    for (const name of names) all.add(name);
  }
  return all;
}

const preferredOf = (pod: Pod) =>
  pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];

/** nodeSelector and node affinity: required terms refuse, preferred ones add their weight. */
export const nodeAffinity: PluginEntry = {
  name: NAME,
  weight: 2,
  create: () => ({
    name: NAME,
    events: [
      {
        on: ['NodeAdd', 'NodeLabel'],
        helps: (pod, event) => {
          const old = oldOf<Node>(event);
          return nodeMatchesPod(pod, newOf(event)) && (!old || !nodeMatchesPod(pod, old));
        },
      },
    ],
    preFilter(_state, { pod }) {
      const { affinity, nodeSelector } = pod.spec;
      if (!nodeSelector && !affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution)
        return { status: skip };
      const nodeNames = namedNodes(pod);
      if (nodeNames?.size === 0) return { status: unresolvable(`pod affinity terms conflict`) };
      return { status: success, ...(nodeNames ? { nodeNames } : {}) };
    },
    filter(_state, { pod }, { node }) {
      return node && nodeMatchesPod(pod, node) ? success : unresolvable(REFUSED);
    },
    preScore(_state, { pod }) {
      return preferredOf(pod).length === 0 ? skip : success;
    },
    score(_state, { pod }, { node }) {
      if (!node) return 0;
      return preferredOf(pod)
        .filter((term) => nodeMatchesTerm(term.preference, node))
        .reduce((sum, term) => sum + term.weight, 0);
    },
    normalize(_state, _pod, scores) {
      normalizeByLargest(scores, false);
    },
  }),
};
