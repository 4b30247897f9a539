import type { Random } from '@orrery/component';
import type { NodeInfo } from '../cache/node-info.js';
import type { NodeInfos } from '../cache/scheduler-cache.js';
import type { CycleState } from '../framework/cycle-state.js';
import type { Diagnosis } from '../framework/fit-error.js';
import type { Framework, PreFilterVerdict } from '../framework/framework.js';
import type { PluginMeters } from '../framework/plugin-meters.js';
import type { PodInfo } from '../framework/pod-info.js';
import { isRejected, isSuccess, unresolvable } from '../framework/status.js';
import type { Status } from '../framework/status.js';
import type { Extenders } from '../extender/extenders.js';
import { enoughFeasible } from './feasible-count.js';

export type Choice =
  | { readonly kind: 'node'; readonly nodeName: string; readonly feasible: number }
  | { readonly kind: 'no-nodes' }
  | { readonly kind: 'refused'; readonly diagnosis: Diagnosis }
  | { readonly kind: 'error'; readonly error: unknown };

export interface ChooserOptions {
  readonly nodes: NodeInfos;
  readonly random: Random;
  /** percentageOfNodesToScore of a profile; 0 = by cluster size. */
  readonly percentageOf: (schedulerName: string) => number;
  readonly extenders: Extenders;
  readonly meters: Pick<PluginMeters, 'now' | 'point'>;
  /** Where the pod was promised room, if anywhere. */
  readonly nominatedNode: (uid: string) => string | undefined;
}

interface Search {
  readonly feasible: readonly NodeInfo[];
  readonly statuses: Map<string, Status>;
  readonly error?: unknown;
}

interface Cycle {
  readonly framework: Framework;
  readonly state: CycleState;
  readonly pod: PodInfo;
  readonly verdict: PreFilterVerdict;
}

const totalsOf = ({ framework, state, pod }: Cycle, nodes: readonly NodeInfo[]): number[] =>
  framework.scoring.totals(state, pod, nodes, framework.verdictsFor(pod));

/** Filter, score and select for one pod. Reads one state of the cluster and writes nothing. */
export class NodeChooser {
  /** Where the next search begins, so that all nodes get their turn. */
  #next = 0;

  constructor(private readonly options: ChooserOptions) {}

  /** A promise only when an extender has to be asked. */
  choose(framework: Framework, state: CycleState, pod: PodInfo): Choice | Promise<Choice> {
    const all = this.options.nodes.list();
    if (all.length === 0) return { kind: 'no-nodes' };
    const { meters } = this.options;
    const verdict = framework.preFilter(state, pod);
    if (!isSuccess(verdict.status)) return refusedByPreFilter(all.length, verdict.status);
    const from = meters.now();
    const found = this.#search(framework, state, pod, verdict);
    const code = found.feasible.length > 0 ? 'Success' : 'UnschedulableAndUnresolvable';
    meters.point('Filter', code, framework.schedulerName, (meters.now() - from) / 1000);
    if (found.error !== undefined) return { kind: 'error', error: found.error };
    const cycle = { framework, state, pod, verdict };
    if (found.feasible.length === 0 || !this.options.extenders.concern(pod))
      return this.#conclude(cycle, found);
    return this.#askExtenders(cycle, found);
  }

  #conclude(cycle: Cycle, found: Search): Choice {
    const { verdict } = cycle;
    const [only, second] = found.feasible;
    if (!only) return refusedByFilters(this.options.nodes.list().length, found.statuses, verdict);
    const feasible = found.feasible.length;
    if (!second) return { kind: 'node', nodeName: only.name, feasible };
    const totals = totalsOf(cycle, found.feasible);
    return { kind: 'node', nodeName: this.#select(found.feasible, totals).name, feasible };
  }

  /** The cluster may change while extenders think: what they chose has to pass the filters again. */
  async #askExtenders(cycle: Cycle, found: Search): Promise<Choice> {
    const { pod } = cycle;
    const { extenders } = this.options;
    const left = await extenders.filter(pod, found.feasible, found.statuses);
    const [only, second] = left;
    if (!only || !second) return this.#recheck(cycle, { ...found, feasible: left });
    const totals = totalsOf(cycle, left);
    await extenders.prioritize(pod, left, totals);
    const best = this.#select(left, totals);
    return this.#recheck(cycle, { ...found, feasible: [best] });
  }

  #recheck(cycle: Cycle, found: Search): Choice {
    const { framework, state, pod } = cycle;
    const [node] = found.feasible;
    if (!node) return this.#conclude(cycle, found);
    const current = this.options.nodes.get(node.name);
    const status = current
      ? framework.filterWithNominated(state, pod, current)
      : unresolvable('node(s) were removed meanwhile');
    if (isSuccess(status)) return this.#conclude(cycle, found);
    found.statuses.set(node.name, status);
    return this.#conclude(cycle, { ...found, feasible: [] });
  }

  #search(
    framework: Framework,
    state: CycleState,
    pod: PodInfo,
    { nodeNames }: PreFilterVerdict,
  ): Search {
    const promised = this.#promisedNode(pod, nodeNames);
    if (promised) {
      const status = framework.filterWithNominated(state, pod, promised);
      if (isSuccess(status)) return { feasible: [promised], statuses: new Map() };
    }
    const all = this.options.nodes.list();
    if (!nodeNames) {
      const enough = enoughFeasible(all.length, this.options.percentageOf(framework.schedulerName));
      const found = tryNodes(framework, state, pod, { nodes: all, from: this.#next, enough });
      this.#next = (this.#next + found.feasible.length + found.statuses.size) % all.length;
      return found;
    }
    const nodes = [...nodeNames].flatMap((name) => this.options.nodes.get(name) ?? []);
    return tryNodes(framework, state, pod, { nodes, from: 0, enough: nodes.length });
  }

  #promisedNode(pod: PodInfo, nodeNames: ReadonlySet<string> | undefined): NodeInfo | undefined {
    const name = this.options.nominatedNode(pod.uid);
    if (name === undefined || (nodeNames && !nodeNames.has(name))) return undefined;
    return this.options.nodes.get(name);
  }

  /** The best node; of equals, any. */
  #select(nodes: readonly NodeInfo[], scores: readonly number[]): NodeInfo {
    let largest = -Infinity;
    let best: NodeInfo[] = [];
    for (let i = 0; i < nodes.length; i++) {
      const [node, score = -Infinity] = [nodes[i], scores[i]];
      if (!node || score < largest) continue;
      if (score > largest) best = [];
      largest = score;
      best.push(node);
    }
    const chosen = best[Math.floor(this.options.random.next() * best.length)] ?? best[0];
    if (!chosen) throw new RangeError('no node to select from');
    return chosen;
  }
}

interface Round {
  readonly nodes: readonly NodeInfo[];
  readonly from: number;
  readonly enough: number;
}

function tryNodes(
  framework: Framework,
  state: CycleState,
  pod: PodInfo,
  { nodes, from, enough }: Round,
): Search {
  const feasible: NodeInfo[] = [];
  const statuses = new Map<string, Status>();
  const verdicts = framework.verdictsFor(pod);
  for (let i = 0; i < nodes.length && feasible.length < enough; i++) {
    const node = nodes[(from + i) % nodes.length];
    if (!node) continue;
    const status = framework.filterKnown(state, pod, node, verdicts);
    if (isSuccess(status)) feasible.push(node);
    else if (isRejected(status)) statuses.set(node.name, status);
    else return { feasible, statuses, error: status.error ?? new Error(status.reasons.join(', ')) };
  }
  return { feasible, statuses };
}

function refusedByPreFilter(allNodes: number, status: Status): Choice {
  if (!isRejected(status))
    return { kind: 'error', error: status.error ?? new Error(status.reasons.join(', ')) };
  return {
    kind: 'refused',
    diagnosis: {
      allNodes,
      statuses: new Map(),
      absent: status,
      preFilterMessage: status.reasons.join(', '),
      plugins: new Set(status.plugin ? [status.plugin] : []),
    },
  };
}

function refusedByFilters(
  allNodes: number,
  statuses: ReadonlyMap<string, Status>,
  { nodeNames, narrowedBy }: PreFilterVerdict,
): Choice {
  const plugins = new Set<string>(nodeNames ? narrowedBy : []);
  for (const { plugin } of statuses.values()) if (plugin) plugins.add(plugin);
  const names = [...narrowedBy].sort().join(' ');
  const absent = nodeNames && unresolvable(`node(s) didn't satisfy plugin(s) [${names}]`);
  return {
    kind: 'refused',
    diagnosis: { allNodes, statuses, plugins, ...(absent ? { absent } : {}) },
  };
}
