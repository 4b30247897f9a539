import type { Pod } from '@orrery/api';
import type { NodeCounts } from '../../cache/node-counts.js';
import type { NodeInfo } from '../../cache/node-info.js';
import type { NodeInfos } from '../../cache/scheduler-cache.js';
import { MAX_SCORE } from '../../framework/normalize.js';
import { countsNode, countsOf, hasAllKeys, isEverywhere } from './spread-constraint.js';
import type { SpreadConstraint } from './spread-constraint.js';

const HOSTNAME = 'kubernetes.io/hostname';

export interface SpreadTotals {
  readonly constraints: readonly SpreadConstraint[];
  /** More for topologies with more domains. */
  readonly weights: readonly number[];
  /** By domain, for each constraint that is not per node. */
  readonly domains: readonly ReadonlyMap<string, number>[];
  /** Where the pods are that each constraint selects. */
  readonly counts: readonly NodeCounts[];
  /** Nodes without the labels, which score nothing. */
  readonly ignored: ReadonlySet<NodeInfo>;
}

export interface SpreadInput {
  readonly pod: Pod;
  readonly constraints: readonly SpreadConstraint[];
  readonly feasible: readonly NodeInfo[];
  readonly nodes: NodeInfos;
  /** Nodes that lack a topology are left out; not so for the built-in constraints. */
  readonly needsAllKeys: boolean;
}

const empty: ReadonlyMap<string, number> = new Map();
const NONE = { topologyKey: '', maxSkew: 1 };

/** Matching pods by domain, of the domains that feasible nodes are in (k8s podtopologyspread/scoring.go:PreScore). */
export function sumSpread(input: SpreadInput): SpreadTotals {
  const { pod, constraints, feasible, nodes, needsAllKeys } = input;
  const lacksKey = needsAllKeys && constraints.some((each) => !isEverywhere(each, nodes));
  /** Not counted for lack of a label. */
  const isLeft = (node: NodeInfo): boolean => lacksKey && !hasAllKeys(node, constraints);
  const ignored = new Set(lacksKey ? feasible.filter(isLeft) : []);
  const counts = constraints.map((constraint) => countsOf(constraint, pod, nodes));
  const domains = constraints.map((constraint, i) => {
    const { topologyKey } = constraint;
    if (topologyKey === HOSTNAME) return empty;
    const found = new Map<string, number>();
    const all = nodes.domains(topologyKey).size;
    for (const node of feasible) {
      if (found.size === all) break;
      const domain = node.labels[topologyKey];
      if (domain !== undefined && !ignored.has(node)) found.set(domain, 0);
    }
    const own = counts[i];
    if (own && found.size > 0) fill(found, own, { ...input, constraint, isLeft, lacksKey });
    return found;
  });
  const weights = constraints.map(({ topologyKey }, i) => {
    const size =
      topologyKey === HOSTNAME ? feasible.length - ignored.size : (domains[i]?.size ?? 0);
    return Math.log(size + 2);
  });
  return { constraints, weights, domains, counts, ignored };
}

interface Filling extends SpreadInput {
  readonly constraint: SpreadConstraint;
  readonly isLeft: (node: NodeInfo) => boolean;
  readonly lacksKey: boolean;
}

/** Sets each domain's number; the cache knows it unless only some nodes count. */
function fill(found: Map<string, number>, counts: NodeCounts, filling: Filling): void {
  const { constraint, pod, nodes, isLeft, lacksKey } = filling;
  if (!lacksKey && !constraint.honorsAffinity && !constraint.honorsTaints) {
    const known = counts.in(constraint.topologyKey);
    for (const domain of found.keys()) found.set(domain, known.get(domain) ?? 0);
    return;
  }
  for (const node of nodes.list()) {
    const domain = node.labels[constraint.topologyKey];
    const before = domain === undefined ? undefined : found.get(domain);
    if (domain === undefined || before === undefined || isLeft(node)) continue;
    if (countsNode(constraint, pod, node)) found.set(domain, before + counts.on(node));
  }
}

/** Fewer is better: see normalizeSpread. */
export function scoreSpread(totals: SpreadTotals, node: NodeInfo): number {
  if (totals.ignored.size > 0 && totals.ignored.has(node)) return 0;
  const { constraints, counts, domains, weights } = totals;
  let score = 0;
  for (let i = 0; i < constraints.length; i++) {
    const { topologyKey, maxSkew } = constraints[i] ?? NONE;
    const domain = node.labels[topologyKey];
    if (domain === undefined) continue;
    const count =
      topologyKey === HOSTNAME ? (counts[i]?.on(node) ?? 0) : (domains[i]?.get(domain) ?? 0);
    score += count * (weights[i] ?? 0) + (maxSkew - 1);
  }
  return Math.round(score);
}

export function normalizeSpread(
  { ignored }: SpreadTotals,
  scores: number[],
  nodes: readonly NodeInfo[],
): void {
  let least = Infinity;
  let most = 0;
  const isIgnored = (i: number): boolean => {
    const node = nodes[i];
    return ignored.size > 0 && node !== undefined && ignored.has(node);
  };
  for (let i = 0; i < nodes.length; i++) {
    if (isIgnored(i)) continue;
    const score = scores[i] ?? 0;
    if (score < least) least = score;
    if (score > most) most = score;
  }
  for (let i = 0; i < nodes.length; i++)
    if (isIgnored(i)) scores[i] = 0;
    else if (most === 0) scores[i] = MAX_SCORE;
    else scores[i] = Math.floor((MAX_SCORE * (most + least - (scores[i] ?? 0))) / most);
}
