import type { Random } from '@orrery/component';
import type { NodeInfo } from '../cache/node-info.js';
import type { NodeInfos } from '../cache/scheduler-cache.js';
import type { CycleState } from '../framework/cycle-state.js';
import type { Diagnosis } from '../framework/fit-error.js';
import type { Framework, PreFilterVerdict } from '../framework/framework.js';
import type { NodeScore } from '../framework/plugin.js';
import type { PodInfo } from '../framework/pod-info.js';
import { isRejected, isSuccess, unresolvable } from '../framework/status.js';
import type { Status } from '../framework/status.js';
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
  /** Where the pod was promised room, if anywhere. */
  readonly nominatedNode: (uid: string) => string | undefined;
}

interface Search {
  readonly feasible: NodeInfo[];
  readonly statuses: Map<string, Status>;
  readonly error?: unknown;
}

/** Filter, score and select for one pod. Reads one state of the cluster and writes nothing. */
export class NodeChooser {
  /** Where the next search begins, so that all nodes get their turn. */
  #next = 0;

  constructor(private readonly options: ChooserOptions) {}

  choose(framework: Framework, state: CycleState, pod: PodInfo): Choice {
    const all = this.options.nodes.list();
    if (all.length === 0) return { kind: 'no-nodes' };
    const verdict = framework.preFilter(state, pod);
    if (!isSuccess(verdict.status)) return refusedByPreFilter(all.length, verdict.status);
    const found = this.#search(framework, state, pod, verdict);
    if (found.error !== undefined) return { kind: 'error', error: found.error };
    const [only, second] = found.feasible;
    if (!only) return refusedByFilters(all.length, found.statuses, verdict);
    const feasible = found.feasible.length;
    if (!second) return { kind: 'node', nodeName: only.name, feasible };
    const best = this.#select(framework.scores(state, pod, found.feasible));
    return { kind: 'node', nodeName: best.name, feasible };
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
  #select(scores: readonly NodeScore[]): NodeInfo {
    const largest = scores.reduce((max, { score }) => Math.max(max, score), -Infinity);
    const best = scores.filter(({ score }) => score === largest);
    const chosen = best[Math.floor(this.options.random.next() * best.length)] ?? best[0];
    if (!chosen) throw new RangeError('no node to select from');
    return chosen.node;
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
  for (let i = 0; i < nodes.length && feasible.length < enough; i++) {
    const node = nodes[(from + i) % nodes.length];
    if (!node) continue;
    const status = framework.filterWithNominated(state, pod, node);
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
