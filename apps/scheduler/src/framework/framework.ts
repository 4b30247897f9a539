import type { Pod } from '@orrery/api';
import type { NodeInfo } from '../cache/node-info.js';
import type { NodeInfos } from '../cache/scheduler-cache.js';
import type { QueuedPod } from '../queue/queued-pod.js';
import { BindingPoints } from './binding-points.js';
import type { ClusterEvent, EventHint } from './cluster-event.js';
import type { CycleState } from './cycle-state.js';
import type { ExtensionPoint, PluginSets } from './extension-points.js';
import type { Diagnosis } from './fit-error.js';
import { intersection } from './intersection.js';
import { NodeVerdicts, filterBy } from './node-verdicts.js';
import type { Nominator } from './nominator.js';
import { unmeasured } from './plugin-meters.js';
import type { PluginMeters, Point } from './plugin-meters.js';
import { runsOf } from './plugin-run.js';
import type { PluginRun } from './plugin-run.js';
import type {
  FilterRunner,
  NodeScore,
  Plugin,
  PostFilterResult,
  PreFilterResult,
} from './plugin.js';
import type { PodInfo } from './pod-info.js';
import { Scoring } from './scoring.js';
import { by, isSuccess, success, unschedulable } from './status.js';
import type { Status, StatusCode } from './status.js';
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
  readonly meters?: PluginMeters;
}

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

const codeOf = ({ code }: Status): StatusCode => code;

/** Up to the first that is not local. */
function localPrefix(filters: readonly PluginRun[]): number {
  const end = filters.findIndex(({ plugin }) => !plugin.local);
  return end < 0 ? filters.length : end;
}

/** The plugins of one profile, run point by point in the order of its configuration. */
export class Framework implements FilterRunner {
  readonly schedulerName: string;
  readonly scoring: Scoring;
  readonly #sets: Readonly<Record<ExtensionPoint, readonly Plugin[]>>;
  readonly #all: readonly Plugin[];
  /** What follows the choice of a node. */
  readonly binding: BindingPoints;
  readonly #meters: PluginMeters;
  readonly #preFilters: readonly PluginRun[];
  readonly #postFilters: readonly PluginRun[];
  readonly #filters: readonly PluginRun[];
  readonly #localFilters: readonly PluginRun[];
  readonly #otherFilters: readonly PluginRun[];
  readonly #templates = new Map<string, NodeVerdicts>();
  #order: readonly NodeInfo[] | undefined;
  #surroundings = -1;

  constructor(private readonly options: FrameworkOptions) {
    const { plugins } = options;
    this.schedulerName = options.schedulerName;
    this.#sets = Object.fromEntries(
      Object.entries(plugins).map(([point, set]) => [point, only(set)]),
    ) as Readonly<Record<ExtensionPoint, readonly Plugin[]>>;
    this.#all = [...new Set(Object.values(this.#sets).flat())];
    const { preFilter, filter, postFilter, preScore } = this.#sets;
    this.#meters = options.meters ?? unmeasured;
    const measured = { meters: this.#meters, profile: options.schedulerName };
    this.#preFilters = runsOf(preFilter, 'PreFilter', measured);
    this.#postFilters = runsOf(postFilter, 'PostFilter', measured);
    this.#filters = runsOf(filter, 'Filter', measured);
    this.#localFilters = this.#filters.slice(0, localPrefix(this.#filters));
    this.#otherFilters = this.#filters.slice(localPrefix(this.#filters));
    this.scoring = new Scoring(preScore, plugins.score, measured);
    this.binding = new BindingPoints(this.#sets, measured);
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
    const meters = this.#meters;
    const from = meters.now();
    const answer = helps(pod, event);
    meters.hinted(name, event.name, answer, (meters.now() - from) / 1000);
    return answer;
  }

  /** True when a plugin that holds pods back waits for the event. */
  mayRelease(pod: Pod, event: ClusterEvent): boolean {
    return this.#sets.preEnqueue.some((plugin) =>
      plugin.events?.some((hint) => this.#hints(plugin, hint, pod, event)),
    );
  }

  preFilter(state: CycleState, pod: PodInfo): PreFilterVerdict {
    const from = this.#meters.now();
    const verdict = this.#preFilter(state, pod);
    this.#tell('PreFilter', verdict.status, from);
    return verdict;
  }

  /** How long all plugins of a point took, since `from`. */
  #tell(point: Point, { code }: Status, from: number): void {
    const meters = this.#meters;
    meters.point(point, code, this.schedulerName, (meters.now() - from) / 1000);
  }

  #preFilter(state: CycleState, pod: PodInfo): PreFilterVerdict {
    const skipped = new Set<string>();
    const narrowedBy: string[] = [];
    let nodeNames: ReadonlySet<string> | undefined;
    for (const each of this.#preFilters) {
      each.asked();
      const work = (): PreFilterResult =>
        each.plugin.preFilter?.(state, pod) ?? { status: success };
      const { status, nodeNames: own } = each.run(state, work, (result) => result.status.code);
      if (status.code === 'Skip') skipped.add(each.name);
      else if (!isSuccess(status)) return { status: by(each.name, status), narrowedBy };
      if (!own) continue;
      narrowedBy.push(each.name);
      nodeNames = nodeNames ? intersection(own, nodeNames) : own;
    }
    state.skipFilter = skipped;
    state.filters = this.#otherFilters.filter(
      ({ plugin, name }) => plugin.filter && !skipped.has(name),
    );
    return { status: success, narrowedBy, ...(nodeNames ? { nodeNames } : {}) };
  }

  filter(state: CycleState, pod: PodInfo, node: NodeInfo): Status {
    return filterBy(this.#filters, state, pod, node);
  }

  /** The verdicts that are known of the pod's template. */
  verdictsFor(pod: PodInfo): NodeVerdicts {
    const { nodes } = this.options;
    if (this.#order !== nodes.list() || this.#surroundings !== nodes.surroundings)
      this.#templates.clear();
    this.#order = nodes.list();
    this.#surroundings = nodes.surroundings;
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
    const from = this.#meters.now();
    const found = this.#postFilter(state, pod, diagnosis);
    const told = (result: PostFilterResult): PostFilterResult => {
      this.#tell('PostFilter', result.status, from);
      return result;
    };
    return found instanceof Promise ? found.then(told) : told(found);
  }

  #postFilter(
    state: CycleState,
    pod: PodInfo,
    diagnosis: Diagnosis,
  ): PostFilterResult | Promise<PostFilterResult> {
    let refused: PostFilterResult = { status: unschedulable() };
    for (const each of this.#postFilters) {
      const before = refused;
      const result = each.run(
        state,
        () => each.plugin.postFilter?.(state, pod, diagnosis),
        (given) => (given && !(given instanceof Promise) ? codeOf(given.status) : 'Success'),
      );
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
}
