import type { Pod } from '@orrery/api';
import type { NodeInfo } from '../cache/node-info.js';
import type { NodeInfos } from '../cache/scheduler-cache.js';
import type { QueuedPod } from '../queue/queued-pod.js';
import type { ClusterEvent, EventHint } from './cluster-event.js';
import type { CycleState } from './cycle-state.js';
import type { ExtensionPoint, PluginSets } from './extension-points.js';
import type { Diagnosis } from './fit-error.js';
import { intersection } from './intersection.js';
import { NodeVerdicts, filterBy } from './node-verdicts.js';
import type { Nominator } from './nominator.js';
import type { FilterRunner, NodeScore, Plugin, PostFilterResult } from './plugin.js';
import type { PodInfo } from './pod-info.js';
import { Scoring } from './scoring.js';
import { by, failed, isSuccess, success, unschedulable } from './status.js';
import type { Status } from './status.js';
import { templateKey } from './template-key.js';

export interface PreFilterVerdict {
  readonly status: Status;
  readonly nodeNames?: ReadonlySet<string>;
  /** Whose nodeNames these are. */
  readonly narrowedBy: readonly string[];
}

export interface FrameworkOptions {
  readonly schedulerName: string;
  readonly plugins: PluginSets;
  readonly nominator: Nominator;
  readonly nodes: NodeInfos;
  /** Told how long things took; default nobody. */
  readonly meters?: FrameworkMeters;
}

/** What of a profile is measured; times in seconds but for `now`. */
export interface FrameworkMeters {
  /** Monotonic, in milliseconds. */
  now(): number;
  hinted(plugin: string, event: string, helps: boolean, seconds: number): void;
  permitted(result: string, seconds: number): void;
}

type BindPoint = 'permit' | 'preBind';

/** Templates whose verdicts are kept. */
const MAX_TEMPLATES = 16;

/** What both ask for is written, and both say why. */
function after(before: PostFilterResult, result: PostFilterResult): PostFilterResult {
  const act = async (): Promise<void> => {
    await before.act?.();
    await result.act?.();
  };
  const acts = before.act ? { act } : {};
  if (isSuccess(result.status)) return { ...result, ...acts };
  const status = unschedulable(...before.status.reasons, ...result.status.reasons);
  return { ...result, ...acts, status };
}

const only = (set: PluginSets[ExtensionPoint]): readonly Plugin[] =>
  set.map(({ plugin }) => plugin);

/** Up to the first that is not local. */
function localPrefix(filters: readonly Plugin[]): number {
  const end = filters.findIndex(({ local }) => !local);
  return end < 0 ? filters.length : end;
}

/** The plugins of one profile, run point by point in the order of its configuration. */
export class Framework implements FilterRunner {
  readonly schedulerName: string;
  readonly scoring: Scoring;
  readonly #sets: Readonly<Record<ExtensionPoint, readonly Plugin[]>>;
  readonly #all: readonly Plugin[];
  readonly #localFilters: readonly Plugin[];
  readonly #otherFilters: readonly Plugin[];
  readonly #templates = new Map<string, NodeVerdicts>();
  #order: readonly NodeInfo[] | undefined;
  #images = -1;

  constructor(private readonly options: FrameworkOptions) {
    const { plugins } = options;
    this.schedulerName = options.schedulerName;
    this.#sets = Object.fromEntries(
      Object.entries(plugins).map(([point, set]) => [point, only(set)]),
    ) as Readonly<Record<ExtensionPoint, readonly Plugin[]>>;
    this.#all = [...new Set(Object.values(this.#sets).flat())];
    const { filter } = this.#sets;
    this.#localFilters = filter.slice(0, localPrefix(filter));
    this.#otherFilters = filter.slice(localPrefix(filter));
    this.scoring = new Scoring(this.#sets.preScore, plugins.score);
  }

  get names(): readonly string[] {
    return this.#all.map(({ name }) => name);
  }

  /** The plugins that run at a point. */
  at(point: ExtensionPoint): readonly Plugin[] {
    return this.#sets[point];
  }

  less(a: QueuedPod, b: QueuedPod): boolean {
    const [sort] = this.#sets.queueSort;
    return sort?.less?.(a, b) ?? a.since < b.since;
  }

  preEnqueue(pod: Pod): Status {
    for (const plugin of this.#sets.preEnqueue) {
      const status = plugin.preEnqueue?.(pod) ?? success;
      if (!isSuccess(status)) return by(plugin.name, status);
    }
    return success;
  }

  /** True when one of the plugins that refused the pod thinks that the event helps. */
  helps(pod: Pod, refusedBy: ReadonlySet<string>, event: ClusterEvent): boolean {
    return this.#all.some(
      (plugin) =>
        refusedBy.has(plugin.name) &&
        (plugin.events?.some((hint) => this.#hints(plugin, hint, pod, event)) ?? true),
    );
  }

  #hints({ name }: Plugin, { on, helps }: EventHint, pod: Pod, event: ClusterEvent): boolean {
    if (!on.includes(event.name)) return false;
    if (!helps) return true;
    const { meters } = this.options;
    const from = meters?.now() ?? 0;
    const answer = helps(pod, event);
    meters?.hinted(name, event.name, answer, (meters.now() - from) / 1000);
    return answer;
  }

  /** True when a plugin that holds pods back waits for the event. */
  mayRelease(pod: Pod, event: ClusterEvent): boolean {
    return this.#sets.preEnqueue.some((plugin) =>
      plugin.events?.some((hint) => this.#hints(plugin, hint, pod, event)),
    );
  }

  preFilter(state: CycleState, pod: PodInfo): PreFilterVerdict {
    const skipped = new Set<string>();
    const narrowedBy: string[] = [];
    let nodeNames: ReadonlySet<string> | undefined;
    for (const plugin of this.#sets.preFilter) {
      if (!plugin.preFilter) continue;
      const { status, nodeNames: own } = plugin.preFilter(state, pod);
      if (status.code === 'Skip') skipped.add(plugin.name);
      else if (!isSuccess(status)) return { status: by(plugin.name, status), narrowedBy };
      if (!own) continue;
      narrowedBy.push(plugin.name);
      nodeNames = nodeNames ? intersection(own, nodeNames) : own;
    }
    state.skipFilter = skipped;
    state.filters = this.#otherFilters.filter(
      (plugin) => plugin.filter && !skipped.has(plugin.name),
    );
    return { status: success, narrowedBy, ...(nodeNames ? { nodeNames } : {}) };
  }

  filter(state: CycleState, pod: PodInfo, node: NodeInfo): Status {
    return filterBy(this.#sets.filter, state, pod, node);
  }

  /** The verdicts that are known of the pod's template. */
  verdictsFor(pod: PodInfo): NodeVerdicts {
    const { nodes } = this.options;
    if (this.#order !== nodes.list() || this.#images !== nodes.imageGeneration)
      this.#templates.clear();
    this.#order = nodes.list();
    this.#images = nodes.imageGeneration;
    const key = templateKey(pod);
    let verdicts = this.#templates.get(key);
    if (!verdicts) {
      const scorers = this.scoring.localScorers;
      verdicts = new NodeVerdicts({ filters: this.#localFilters, scorers });
      const [oldest] = this.#templates.keys();
      if (this.#templates.size >= MAX_TEMPLATES && oldest !== undefined)
        this.#templates.delete(oldest);
      this.#templates.set(key, verdicts);
    }
    return verdicts;
  }

  /** As filterWithNominated, for a node of the cluster as it is, with what is known of the template. */
  filterKnown(state: CycleState, pod: PodInfo, node: NodeInfo, verdicts: NodeVerdicts): Status {
    if (this.options.nominator.hasPodsOn(node.name))
      return this.filterWithNominated(state, pod, node);
    const status = verdicts.status(state, pod, node);
    if (!isSuccess(status)) return status;
    const others = state.filters ?? this.#otherFilters;
    return others.length > 0 ? filterBy(others, state, pod, node) : success;
  }

  /** Filters as if the pods that were promised this node, and matter at least as much, ran there already. */
  filterWithNominated(state: CycleState, pod: PodInfo, node: NodeInfo): Status {
    const promised = this.options.nominator
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
    for (const plugin of this.#sets.preFilter)
      if (!state.skipFilter.has(plugin.name)) plugin.addPod?.(state, pod, added, node);
  }

  removePod(state: CycleState, pod: PodInfo, removed: PodInfo, node: NodeInfo): void {
    node.removePod(removed.uid);
    for (const plugin of this.#sets.preFilter)
      if (!state.skipFilter.has(plugin.name)) plugin.removePod?.(state, pod, removed, node);
  }

  /** The first plugin that finds a way, or what all of them said (k8s framework/runtime: RunPostFilterPlugins). */
  postFilter(
    state: CycleState,
    pod: PodInfo,
    diagnosis: Diagnosis,
  ): PostFilterResult | Promise<PostFilterResult> {
    let refused: PostFilterResult = { status: unschedulable() };
    for (const plugin of this.#sets.postFilter) {
      const before = refused;
      const result = plugin.postFilter?.(state, pod, diagnosis);
      if (!result) continue;
      if (result instanceof Promise) return result.then((late) => after(before, late));
      refused = after(before, result);
      if (isSuccess(refused.status)) return refused;
    }
    return refused;
  }

  /** The weighted sums, in the order of `nodes`. */
  scores(
    state: CycleState,
    pod: PodInfo,
    nodes: readonly NodeInfo[],
    verdicts: NodeVerdicts = this.verdictsFor(pod),
  ): readonly NodeScore[] {
    const totals = this.scoring.totals(state, pod, nodes, verdicts);
    return nodes.map((node, i) => ({ node, score: totals[i] ?? 0 }));
  }

  reserve(state: CycleState, pod: PodInfo, nodeName: string): Status {
    for (const plugin of this.#sets.reserve) {
      const status = plugin.reserve?.(state, pod, nodeName) ?? success;
      if (!isSuccess(status)) return by(plugin.name, status);
    }
    return success;
  }

  /** A promise only when a plugin has something to write. */
  unreserve(state: CycleState, pod: PodInfo, nodeName: string): Promise<unknown> | undefined {
    const undone = this.#sets.reserve
      .toReversed()
      .map((plugin) => plugin.unreserve?.(state, pod, nodeName))
      .filter((each) => each instanceof Promise);
    return undone.length > 0 ? Promise.all(undone) : undefined;
  }

  /** Whether the binding has to wait for a PreBind (k8s framework/runtime: RunPreBindPreFlights). */
  willWait(state: CycleState, pod: PodInfo, nodeName: string): boolean {
    return this.#sets.preBind.some((plugin) => {
      const status = plugin.preBindPreFlight?.(state, pod, nodeName);
      return status !== undefined && isSuccess(status);
    });
  }

  /** Permit and PreBind of all: the pod may be bound when all succeed or skip. */
  async beforeBind(
    state: CycleState,
    pod: PodInfo,
    nodeName: string,
    signal: AbortSignal,
  ): Promise<Status> {
    const run = async (point: BindPoint): Promise<Status> => {
      for (const plugin of this.#sets[point]) {
        const status = (await plugin[point]?.(state, pod, nodeName, signal)) ?? success;
        if (!isSuccess(status) && status.code !== 'Skip') return by(plugin.name, status);
      }
      return success;
    };
    const { meters } = this.options;
    const from = meters?.now() ?? 0;
    const permitted = await run('permit');
    if (this.#sets.permit.length > 0)
      meters?.permitted(permitted.code, (meters.now() - from) / 1000);
    return isSuccess(permitted) ? run('preBind') : permitted;
  }

  /** Bind of the first plugin that does not skip. */
  async bind(
    state: CycleState,
    pod: PodInfo,
    nodeName: string,
    signal: AbortSignal,
  ): Promise<Status> {
    for (const plugin of this.#sets.bind) {
      const status = await plugin.bind?.(state, pod, nodeName, signal);
      if (status && status.code !== 'Skip') return by(plugin.name, status);
    }
    return failed(new Error('no plugin binds pods'));
  }

  postBind(state: CycleState, pod: PodInfo, nodeName: string): void {
    for (const plugin of this.#sets.postBind) plugin.postBind?.(state, pod, nodeName);
  }
}
