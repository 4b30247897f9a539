import type { AffinityTerm, AffinityTerms } from '../framework/affinity-terms.js';
import type { PodInfo } from '../framework/pod-info.js';
import { NodeCounts } from './node-counts.js';
import type { NodeInfo } from './node-info.js';

/** A term that pods on nodes have, and where those pods are. */
export interface TermGroup {
  readonly term: AffinityTerm;
  readonly pods: NodeCounts;
}

const KINDS = [
  'requiredAffinity',
  'requiredAntiAffinity',
  'preferredAffinity',
  'preferredAntiAffinity',
] as const satisfies readonly (keyof AffinityTerms)[];

export type TermKind = (typeof KINDS)[number];

/** The (anti-)affinity terms of the pods that are placed; each different term is kept once. */
export class TermCounts {
  readonly #groups: Readonly<Record<TermKind, Map<string, TermGroup>>> = {
    requiredAffinity: new Map(),
    requiredAntiAffinity: new Map(),
    preferredAffinity: new Map(),
    preferredAntiAffinity: new Map(),
  };

  of(kind: TermKind): Iterable<TermGroup> {
    return this.#groups[kind].values();
  }

  change(pod: PodInfo, node: NodeInfo, by: 1 | -1): void {
    if (!pod.affinity) return;
    for (const kind of KINDS)
      for (const term of pod.affinity[kind]) this.#changeTerm(this.#groups[kind], term, node, by);
  }

  nodesChanged(): void {
    for (const kind of KINDS)
      for (const { pods } of this.#groups[kind].values()) pods.nodesChanged();
  }

  #changeTerm(
    groups: Map<string, TermGroup>,
    term: AffinityTerm,
    node: NodeInfo,
    by: 1 | -1,
  ): void {
    const key = `${term.weight}|${term.key}`;
    let group = groups.get(key);
    if (!group) {
      group = { term, pods: new NodeCounts() };
      groups.set(key, group);
    }
    group.pods.change(node, by);
    if (group.pods.total === 0) groups.delete(key);
  }
}
