import { notSupported, required } from '@orrery/apimachinery';
import type { FieldError, FieldPath } from '@orrery/apimachinery';
import type {
  Node,
  NodeAffinity,
  NodeSelectorTerm,
  Pod,
  PreferredSchedulingTerm,
} from '@orrery/api';
import { IsObject, IsOptional, IsString } from 'class-validator';
import { readArgs } from '../../framework/plugin-args.js';
import { newOf, oldOf } from '../../framework/cluster-event.js';
import { intersection } from '../../framework/intersection.js';
import { nodeMatchesPod, nodeMatchesSelector, nodeMatchesTerm } from '@orrery/controller';
import { normalizeByLargest } from '../../framework/normalize.js';
import type { PluginEntry } from '../../framework/plugin.js';
import { skip, success, unresolvable } from '../../framework/status.js';

const NAME = 'NodeAffinity';
const REFUSED = "node(s) didn't match Pod's node affinity/selector";
const ENFORCED = "node(s) didn't match scheduler-enforced node affinity";

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

class NodeAffinityArgs {
  @IsOptional() @IsString() apiVersion?: string;
  @IsOptional() @IsString() kind?: string;
  /** Checked by checkArgs. */
  @IsOptional() @IsObject() addedAffinity?: NodeAffinity;
}

const OPERATORS = ['DoesNotExist', 'Exists', 'Gt', 'In', 'Lt', 'NotIn'];

/** k8s apis/config/validation:ValidateNodeAffinityArgs, for what a term can be wrong in. */
function checkTerm(term: NodeSelectorTerm, path: FieldPath): FieldError[] {
  return (term.matchExpressions ?? []).flatMap(({ key, operator, values = [] }, i) => {
    const at = path.child('matchExpressions').index(i);
    if (!OPERATORS.includes(operator))
      return [notSupported(at.child('operator'), operator, OPERATORS)];
    if (!key) return [required(at.child('key'))];
    const wantsValues = operator === 'In' || operator === 'NotIn';
    if (wantsValues && values.length === 0)
      return [required(at.child('values'), "must be specified when `operator` is 'In' or 'NotIn'")];
    return [];
  });
}

function checkArgs({ addedAffinity }: NodeAffinityArgs, path: FieldPath): FieldError[] {
  const at = path.child('addedAffinity');
  const needed = addedAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const wished = addedAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const terms = at
    .child('requiredDuringSchedulingIgnoredDuringExecution')
    .child('nodeSelectorTerms');
  return [
    ...(needed?.nodeSelectorTerms ?? []).flatMap((term, i) => checkTerm(term, terms.index(i))),
    ...wished.flatMap(({ preference }, i) =>
      checkTerm(
        preference,
        at.child('preferredDuringSchedulingIgnoredDuringExecution').index(i).child('preference'),
      ),
    ),
  ];
}

/** nodeSelector and node affinity: required terms refuse, preferred ones add their weight. */
export const nodeAffinity: PluginEntry = {
  name: NAME,
  weight: 2,
  create(_context, args) {
    const { addedAffinity } = readArgs(NodeAffinityArgs, args, checkArgs);
    const added = addedAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
    const addedWishes = addedAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    const matches = (pod: Pod, node: Node): boolean =>
      (!added || nodeMatchesSelector(added, node)) && nodeMatchesPod(pod, node);
    const wishes = (pod: Pod): readonly PreferredSchedulingTerm[] => [
      ...addedWishes,
      ...preferredOf(pod),
    ];
    return {
      name: NAME,
      local: true,
      events: [
        {
          on: ['NodeAdd', 'NodeLabel'],
          helps: (pod, event) => {
            const old = oldOf<Node>(event);
            return matches(pod, newOf(event)) && (!old || !matches(pod, old));
          },
        },
      ],
      preFilter(_state, { pod }) {
        const { affinity, nodeSelector } = pod.spec;
        const own = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
        if (!nodeSelector && !own && !added) return { status: skip };
        const nodeNames = namedNodes(pod);
        if (nodeNames?.size === 0) return { status: unresolvable(`pod affinity terms conflict`) };
        return { status: success, ...(nodeNames ? { nodeNames } : {}) };
      },
      filter(_state, { pod }, { node }) {
        if (!node) return unresolvable(REFUSED);
        if (added && !nodeMatchesSelector(added, node)) return unresolvable(ENFORCED);
        return nodeMatchesPod(pod, node) ? success : unresolvable(REFUSED);
      },
      preScore(_state, { pod }) {
        return wishes(pod).length === 0 ? skip : success;
      },
      score(_state, { pod }, { node }) {
        if (!node) return 0;
        return wishes(pod)
          .filter((term) => nodeMatchesTerm(term.preference, node))
          .reduce((sum, term) => sum + term.weight, 0);
      },
      normalize(_state, _pod, scores) {
        normalizeByLargest(scores, false);
      },
    };
  },
};
