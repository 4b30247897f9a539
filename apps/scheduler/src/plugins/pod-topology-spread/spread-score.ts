import type { Pod } from '@orrery/api';
import type { NodeInfo } from '../../cache/node-info.js';
import { MAX_SCORE } from '../../framework/normalize.js';
import type { NodeScore } from '../../framework/plugin.js';
import { countSelected, countsNode, hasAllKeys } from './spread-constraint.js';
import type { SpreadConstraint } from './spread-constraint.js';

const HOSTNAME = 'kubernetes.io/hostname';

export interface SpreadTotals {
  readonly constraints: readonly SpreadConstraint[];
  /** More for topologies with more domains. */
  readonly weights: readonly number[];
  /** By domain, for each constraint that is not per node. */
  readonly domains: readonly Map<string, number>[];
  /** Nodes without the labels, which score nothing. */
  readonly ignored: ReadonlySet<NodeInfo>;
  readonly namespace: string | undefined;
}

export interface SpreadInput {
  readonly pod: Pod;
  readonly constraints: readonly SpreadConstraint[];
  readonly feasible: readonly NodeInfo[];
  readonly all: readonly NodeInfo[];
  /** Nodes that lack a topology are left out; not so for the built-in constraints. */
  readonly needsAllKeys: boolean;
}

/** Counts matching pods by domain (k8s podtopologyspread/scoring.go:PreScore). */
export function sumSpread(input: SpreadInput): SpreadTotals {
  const { pod, constraints, feasible, all, needsAllKeys } = input;
  const { namespace } = pod.metadata;
  /** Not counted for lack of a label. */
  const left = (node: NodeInfo): boolean => needsAllKeys && !hasAllKeys(node, constraints);
  const ignored = new Set(feasible.filter(left));
  const domains = constraints.map(({ topologyKey }) => {
    const found = new Map<string, number>();
    if (topologyKey === HOSTNAME) return found;
    for (const node of feasible) {
      const domain = node.labels[topologyKey];
      if (!ignored.has(node) && domain !== undefined) found.set(domain, 0);
    }
    return found;
  });
  const weights = constraints.map(({ topologyKey }, i) => {
    const size =
      topologyKey === HOSTNAME ? feasible.length - ignored.size : (domains[i]?.size ?? 0);
    return Math.log(size + 2);
  });
  constraints.forEach((constraint, i) => {
    const counts = domains[i];
    if (!counts || counts.size === 0) return;
    for (const node of all) {
      const domain = node.labels[constraint.topologyKey];
      const before = domain === undefined ? undefined : counts.get(domain);
      if (domain === undefined || before === undefined || left(node)) continue;
      if (!countsNode(constraint, pod, node)) continue;
      counts.set(domain, before + countSelected(constraint, namespace, node));
    }
  });
  return { constraints, weights, domains, ignored, namespace };
}

/** Fewer is better: see normalizeSpread. */
export function scoreSpread(totals: SpreadTotals, node: NodeInfo): number {
  if (totals.ignored.has(node)) return 0;
  let score = 0;
  totals.constraints.forEach((constraint, i) => {
    const domain = node.labels[constraint.topologyKey];
    if (domain === undefined) return;
    const count =
      constraint.topologyKey === HOSTNAME
        ? countSelected(constraint, totals.namespace, node)
        : (totals.domains[i]?.get(domain) ?? 0);
    score += count * (totals.weights[i] ?? 0) + (constraint.maxSkew - 1);
  });
  return Math.round(score);
}

export function normalizeSpread(totals: SpreadTotals, scores: readonly NodeScore[]): void {
  let least = Infinity;
  let most = 0;
  for (const { node, score } of scores) {
    if (totals.ignored.has(node)) continue;
    least = Math.min(least, score);
    most = Math.max(most, score);
  }
  for (const each of scores) {
    if (totals.ignored.has(each.node)) each.score = 0;
    else if (most === 0) each.score = MAX_SCORE;
    else each.score = Math.floor((MAX_SCORE * (most + least - each.score)) / most);
  }
}
