import type { Pod } from '@orrery/api';
import type { NodeInfo } from '../cache/node-info.js';
import type { QueuedPod } from '../queue/queued-pod.js';
import type { ClusterEvent } from './cluster-event.js';
import type { CycleState } from './cycle-state.js';
import type { Diagnosis } from './fit-error.js';
import type { Nominator } from './nominator.js';
import type { FilterRunner, NodeScore, Plugin, PostFilterResult } from './plugin.js';
import type { PodInfo } from './pod-info.js';
import { intersection } from './intersection.js';
import { by, failed, isSuccess, success, unschedulable } from './status.js';
import type { Status } from './status.js';

export interface WeightedPlugin {
  readonly plugin: Plugin;
  readonly weight: number;
}

export interface PreFilterVerdict {
  readonly status: Status;
  readonly nodeNames?: ReadonlySet<string>;
  /** Whose nodeNames these are. */
  readonly narrowedBy: readonly string[];
}

type BindPoint = 'permit' | 'preBind';

/** The plugins of one profile, run point by point in the order of the list. */
export class Framework implements FilterRunner {
  readonly #plugins: readonly WeightedPlugin[];

  constructor(
    readonly schedulerName: string,
    plugins: readonly WeightedPlugin[],
    private readonly nominator: Nominator,
  ) {
    this.#plugins = plugins;
  }

  get names(): readonly string[] {
    return this.#plugins.map(({ plugin }) => plugin.name);
  }

  less(a: QueuedPod, b: QueuedPod): boolean {
    for (const { plugin } of this.#plugins) {
      const less = plugin.less?.(a, b);
      if (less !== undefined) return less;
    }
    return a.since < b.since;
  }

  preEnqueue(pod: Pod): Status {
    for (const { plugin } of this.#plugins) {
      const status = plugin.preEnqueue?.(pod) ?? success;
      if (!isSuccess(status)) return by(plugin.name, status);
    }
    return success;
  }

  /** True when one of the plugins that refused the pod thinks that the event helps. */
  helps(pod: Pod, refusedBy: ReadonlySet<string>, event: ClusterEvent): boolean {
    return this.#plugins.some(
      ({ plugin }) =>
        refusedBy.has(plugin.name) &&
        plugin.events?.some(
          (hint) => hint.on.includes(event.name) && (hint.helps?.(pod, event) ?? true),
        ),
    );
  }

  preFilter(state: CycleState, pod: PodInfo): PreFilterVerdict {
    const skipped = new Set<string>();
    const narrowedBy: string[] = [];
    let nodeNames: ReadonlySet<string> | undefined;
    for (const { plugin } of this.#plugins) {
      if (!plugin.preFilter) continue;
      const { status, nodeNames: own } = plugin.preFilter(state, pod);
      if (status.code === 'Skip') skipped.add(plugin.name);
      else if (!isSuccess(status)) return { status: by(plugin.name, status), narrowedBy };
      if (!own) continue;
      narrowedBy.push(plugin.name);
      nodeNames = nodeNames ? intersection(own, nodeNames) : own;
    }
    state.skipFilter = skipped;
    return { status: success, narrowedBy, ...(nodeNames ? { nodeNames } : {}) };
  }

  filter(state: CycleState, pod: PodInfo, node: NodeInfo): Status {
    for (const { plugin } of this.#plugins) {
      if (!plugin.filter || state.skipFilter.has(plugin.name)) continue;
      const status = plugin.filter(state, pod, node);
      if (!isSuccess(status)) return by(plugin.name, status);
    }
    return success;
  }

  /** Filters as if the pods that were promised this node, and matter at least as much, ran there already. */
  filterWithNominated(state: CycleState, pod: PodInfo, node: NodeInfo): Status {
    const promised = this.nominator
      .podsOn(node.name)
      .filter((other) => other.uid !== pod.uid && other.priority >= pod.priority);
    if (promised.length > 0) {
      const withThem = node.clone();
      const changed = state.clone();
      for (const other of promised) this.addPod(changed, pod, other, withThem);
      const status = this.filter(changed, pod, withThem);
      if (!isSuccess(status)) return status;
    }
    return this.filter(state, pod, node);
  }

  addPod(state: CycleState, pod: PodInfo, added: PodInfo, node: NodeInfo): void {
    node.addPod(added);
    for (const { plugin } of this.#plugins)
      if (!state.skipFilter.has(plugin.name)) plugin.addPod?.(state, pod, added, node);
  }

  removePod(state: CycleState, pod: PodInfo, removed: PodInfo, node: NodeInfo): void {
    node.removePod(removed.uid);
    for (const { plugin } of this.#plugins)
      if (!state.skipFilter.has(plugin.name)) plugin.removePod?.(state, pod, removed, node);
  }

  postFilter(state: CycleState, pod: PodInfo, diagnosis: Diagnosis): PostFilterResult {
    let refused: PostFilterResult = { status: unschedulable() };
    for (const { plugin } of this.#plugins) {
      if (!plugin.postFilter) continue;
      const result = plugin.postFilter(state, pod, diagnosis);
      if (isSuccess(result.status)) return result;
      refused = result;
    }
    return refused;
  }

  /** The weighted sums, in the order of `nodes`. */
  scores(state: CycleState, pod: PodInfo, nodes: readonly NodeInfo[]): readonly NodeScore[] {
    const skipped = new Set<string>();
    for (const { plugin } of this.#plugins)
      if (plugin.preScore?.(state, pod, nodes).code === 'Skip') skipped.add(plugin.name);
    state.skipScore = skipped;
    const totals = nodes.map((node) => ({ node, score: 0 }));
    for (const { plugin, weight } of this.#plugins) {
      if (!plugin.score || skipped.has(plugin.name)) continue;
      const own: NodeScore[] = [];
      for (const node of nodes) own.push({ node, score: plugin.score(state, pod, node) });
      plugin.normalize?.(state, pod, own);
      own.forEach(({ score }, i) => {
        const total = totals[i];
        if (total) total.score += score * weight;
      });
    }
    return totals;
  }

  reserve(state: CycleState, pod: PodInfo, nodeName: string): Status {
    for (const { plugin } of this.#plugins) {
      const status = plugin.reserve?.(state, pod, nodeName) ?? success;
      if (!isSuccess(status)) return by(plugin.name, status);
    }
    return success;
  }

  unreserve(state: CycleState, pod: PodInfo, nodeName: string): void {
    for (const { plugin } of this.#plugins.toReversed()) plugin.unreserve?.(state, pod, nodeName);
  }

  /** Permit and PreBind of all, then Bind of the first that does not skip. */
  async bind(
    state: CycleState,
    pod: PodInfo,
    nodeName: string,
    signal: AbortSignal,
  ): Promise<Status> {
    const before = async (point: BindPoint): Promise<Status> => {
      for (const { plugin } of this.#plugins) {
        const status = (await plugin[point]?.(state, pod, nodeName, signal)) ?? success;
        if (!isSuccess(status) && status.code !== 'Skip') return by(plugin.name, status);
      }
      return success;
    };
    for (const point of ['permit', 'preBind'] as const) {
      const status = await before(point);
      if (!isSuccess(status)) return status;
    }
    for (const { plugin } of this.#plugins) {
      const status = await plugin.bind?.(state, pod, nodeName, signal);
      if (status && status.code !== 'Skip') return by(plugin.name, status);
    }
    return failed(new Error('no plugin binds pods'));
  }

  postBind(state: CycleState, pod: PodInfo, nodeName: string): void {
    for (const { plugin } of this.#plugins) plugin.postBind?.(state, pod, nodeName);
  }
}
