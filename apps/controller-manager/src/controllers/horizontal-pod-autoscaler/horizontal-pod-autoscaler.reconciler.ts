import type { ObjectKey } from '@orrery/apimachinery';
import {
  isNotFound,
  parseKeyString,
  parseLabelSelector,
  parseQuantity,
  quantityMilliValue,
  toKeyString,
} from '@orrery/apimachinery';
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerStatus,
  MetricSpec,
  MetricStatus,
  Pod,
} from '@orrery/api';
import type { Clock } from '@orrery/component';
import { done } from '@orrery/controller';
import type { EventRecorder, Reconciler, Result, StatusWriter } from '@orrery/controller';
import type { LabelMatcher, Lister } from '@orrery/informers';
import type { AutoscalerMemory } from './autoscaler-memory.js';
import { AutoscalerStatus } from './autoscaler-status.js';
import { actionOf } from './horizontal-pod-autoscaler.metrics.js';
import type {
  AutoscalerMeters,
  ScaleAction,
  ScaleError,
} from './horizontal-pod-autoscaler.metrics.js';
import type { MetricProposal, MetricProposals, Target } from './metric-proposals.js';
import { UnusableMetric } from './metric-proposals.js';
import type { Tolerances } from './replica-calculator.js';
import type { ScaleTarget, ScaleTargets } from './scale-target.js';
import type { Behavior, Limited } from './scaling-rules.js';
import { limitByBehavior, limitByDefault, toRules } from './scaling-rules.js';
import { stabilize, stabilizeDown } from './stabilization.js';

/** The flags --horizontal-pod-autoscaler-*. */
export interface AutoscalerSettings {
  readonly syncPeriodMs: number;
  readonly tolerance: number;
  readonly downscaleWindowMs: number;
  readonly cpuInitializationMs: number;
  readonly initialReadinessMs: number;
}

export interface AutoscalerCaches {
  readonly autoscalers: Lister<HorizontalPodAutoscaler>;
  readonly pods: Lister<Pod>;
}

export interface AutoscalerTools {
  readonly scales: ScaleTargets;
  readonly proposals: MetricProposals;
  readonly memory: AutoscalerMemory;
  readonly status: StatusWriter<HorizontalPodAutoscalerStatus, HorizontalPodAutoscaler>;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly meters: AutoscalerMeters;
}

/** One look at one autoscaler: what it found so far and where it says so. */
interface Look {
  readonly hpa: HorizontalPodAutoscaler;
  readonly key: string;
  readonly now: number;
  readonly status: AutoscalerStatus;
  /** What came of it, for the metrics. */
  readonly outcome: { action: ScaleAction; error: ScaleError };
}

interface Wanted {
  readonly replicas: number;
  /** Why the count changes, for the event. */
  readonly reason: string;
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** Scales targets by metrics (k8s pkg/controller/podautoscaler/horizontal.go: reconcileAutoscaler). */
export class HorizontalPodAutoscalerReconciler implements Reconciler {
  constructor(
    private readonly caches: AutoscalerCaches,
    private readonly tools: AutoscalerTools,
    private readonly settings: AutoscalerSettings,
  ) {}

  async reconcile(key: ObjectKey): Promise<Result> {
    const hpa = this.caches.autoscalers.get(key);
    if (!hpa) {
      this.tools.memory.forget(toKeyString(key));
      this.tools.meters.forget(toKeyString(key));
      return done;
    }
    const now = this.tools.clock.now();
    const status = new AutoscalerStatus(hpa, now);
    const look: Look = {
      hpa,
      key: toKeyString(key),
      now,
      status,
      outcome: { action: 'none', error: 'none' },
    };
    const begun = this.tools.clock.monotonic();
    this.tools.meters.added(look.key);
    await this.#look(look);
    const { action, error } = look.outcome;
    const seconds = (this.tools.clock.monotonic() - begun) / 1000;
    this.tools.meters.reconciled(action, error, seconds);
    this.tools.meters.desired(look.key, status.build().desiredReplicas);
    try {
      await this.tools.status.writeIfChanged(hpa, status.build());
    } catch (error) {
      if (isNotFound(error)) return done;
      this.#warn(hpa, 'FailedUpdateStatus', messageOf(error));
      throw error;
    }
    return { requeueAfterMs: this.settings.syncPeriodMs };
  }

  async #look(look: Look): Promise<void> {
    const { hpa, status } = look;
    let target: ScaleTarget;
    try {
      target = await this.tools.scales.get(hpa);
    } catch (error) {
      const text = messageOf(error);
      look.outcome.error = errorOf(error);
      this.#warn(hpa, 'FailedGetScale', text);
      const told = `the HPA controller was unable to get the target's current scale: ${text}`;
      status.set('AbleToScale', false, 'FailedGetScale', told);
      return;
    }
    const got = "the HPA controller was able to get the target's current scale";
    status.set('AbleToScale', true, 'SucceededGetScale', got);
    const current = target.scale.spec.replicas ?? 0;
    this.tools.memory.begin(look.key, current, look.now);
    const wanted = await this.#wanted(look, target, current);
    if (wanted) await this.#scale(look, target, current, wanted);
  }

  /** undefined when the metrics do not tell. */
  async #wanted(look: Look, target: ScaleTarget, current: number): Promise<Wanted | undefined> {
    const { minReplicas = 1, maxReplicas } = look.hpa.spec;
    if (current === 0 && minReplicas !== 0) {
      const text = 'scaling is disabled since the replica count of the target is zero';
      look.status.set('ScalingActive', false, 'ScalingDisabled', text);
      look.status.current(current, []);
      return { replicas: 0, reason: '' };
    }
    if (current > maxReplicas || current < minReplicas) look.status.current(current, []);
    if (current > maxReplicas)
      return { replicas: maxReplicas, reason: 'Current number of replicas above Spec.MaxReplicas' };
    if (current < minReplicas)
      return { replicas: minReplicas, reason: 'Current number of replicas below Spec.MinReplicas' };
    return this.#wantedByMetrics(look, target, current);
  }

  async #wantedByMetrics(
    look: Look,
    target: ScaleTarget,
    current: number,
  ): Promise<Wanted | undefined> {
    const { hpa, status } = look;
    try {
      const { replicas, name, metrics } = await this.#askMetrics(look, target, current);
      status.current(current, metrics);
      const limited = this.#limit(look, current, replicas);
      const reason = replicas > current ? `${name} above target` : 'All metrics below target';
      return { replicas: limited.replicas, reason };
    } catch (error) {
      status.current(current);
      look.outcome.error = errorOf(error);
      this.#warn(hpa, 'FailedComputeMetricsReplicas', messageOf(error));
      return undefined;
    }
  }

  async #askMetrics(
    look: Look,
    { scale }: ScaleTarget,
    current: number,
  ): Promise<{ replicas: number; name: string; metrics: MetricStatus[] }> {
    const { hpa, status } = look;
    const target = this.#targetOf(look, scale.status?.selector ?? '', {
      current,
      observed: scale.status?.replicas ?? 0,
    });
    const specs = hpa.spec.metrics ?? [];
    let best = { replicas: 0, name: '' };
    let invalid = 0;
    let first: UnusableMetric | undefined;
    const metrics: MetricStatus[] = [];
    for (const spec of specs)
      try {
        const proposal = await this.#propose(look, spec, target);
        metrics.push(proposal.status);
        if (best.name === '' || proposal.replicas > best.replicas) best = proposal;
      } catch (error) {
        if (!(error instanceof UnusableMetric)) throw error;
        this.#warn(hpa, error.reason, error.detail);
        first ??= error;
        invalid++;
      }
    // With a metric missing the count may grow, but not shrink.
    if (first && (invalid >= specs.length || best.replicas < current)) {
      const text = `the HPA was unable to compute the replica count: ${first.detail}`;
      status.set('ScalingActive', false, first.reason, text);
      throw new Error(
        `invalid metrics (${invalid} invalid out of ${specs.length}), first error is: ${first.message}`,
        { cause: first },
      );
    }
    const found = `the HPA was able to successfully calculate a replica count from ${best.name}`;
    status.set('ScalingActive', true, 'ValidMetricFound', found);
    return { replicas: best.replicas, name: best.name, metrics };
  }

  async #propose({ hpa }: Look, spec: MetricSpec, target: Target): Promise<MetricProposal> {
    const { clock, meters, proposals } = this.tools;
    const begun = clock.monotonic();
    const computed = (action: ScaleAction, error: ScaleError): void => {
      meters.computed(spec.type, action, error, (clock.monotonic() - begun) / 1000);
    };
    try {
      const proposal = await proposals.propose(spec, target);
      computed(actionOf(hpa.status?.currentReplicas ?? 0, proposal.replicas), 'none');
      return proposal;
    } catch (error) {
      computed('none', errorOf(error));
      throw error;
    }
  }

  #targetOf(
    { hpa, key, now, status }: Look,
    selector: string,
    counts: { readonly current: number; readonly observed: number },
  ): Target {
    const { namespace = '' } = hpa.metadata;
    const refuse = (reason: string, text: string, event = text, type = reason): never => {
      this.#warn(hpa, type, event);
      status.set('ScalingActive', false, reason, text);
      throw new Error(event);
    };
    if (selector === '')
      return refuse(
        'InvalidSelector',
        "the HPA target's scale is missing a selector",
        'selector is required',
        'SelectorRequired',
      );
    const matcher = parseSelector(selector, (text) => refuse('InvalidSelector', text));
    const matches: LabelMatcher = (labels) => matcher.matches(labels);
    const pods = this.caches.pods.list(namespace, matches);
    this.tools.memory.selects(key, matches);
    const rivals = this.tools.memory.countersOf(namespace, pods).map((rival) => {
      const { name } = parseKeyString(rival);
      return `{${name} ${namespace}}`;
    });
    if (rivals.length > 1)
      refuse(
        'AmbiguousSelector',
        `pods by selector ${selector} are controlled by multiple HPAs: [${rivals.join(' ')}]`,
      );
    return {
      namespace,
      selector,
      observed: counts.observed,
      scope: {
        current: counts.current,
        pods,
        tolerances: this.#tolerances(hpa),
        readiness: { now, ...this.settings },
      },
    };
  }

  #tolerances({ spec }: HorizontalPodAutoscaler): Tolerances {
    const of = (text: string | undefined): number =>
      text === undefined ? this.settings.tolerance : quantityMilliValue(parseQuantity(text)) / 1000;
    const { scaleUp, scaleDown } = spec.behavior ?? {};
    return { up: of(scaleUp?.tolerance), down: of(scaleDown?.tolerance) };
  }

  #behaviorOf({ spec: { behavior } }: HorizontalPodAutoscaler): Behavior {
    return {
      up: toRules(behavior?.scaleUp, 0, true),
      down: toRules(behavior?.scaleDown, this.settings.downscaleWindowMs, false),
    };
  }

  #limit({ hpa, key, now, status }: Look, current: number, desired: number): Limited {
    const { memory } = this.tools;
    const recent = memory.recommendations(key);
    const { minReplicas: min = 1, maxReplicas: max } = hpa.spec;
    const behavior = hpa.spec.behavior ? this.#behaviorOf(hpa) : undefined;
    const windowMs = this.settings.downscaleWindowMs;
    const stable = behavior
      ? stabilize(current, desired, recent, { behavior, now })
      : stabilizeDown(desired, recent, { windowMs, now });
    const kept = behavior ? Math.max(behavior.up.windowMs, behavior.down.windowMs) : windowMs;
    memory.recommend(key, desired, now, kept);
    status.set('AbleToScale', true, stable.reason, stable.message);
    const bounds = { current, desired: stable.replicas, min, max };
    const limited = behavior
      ? limitByBehavior(bounds, behavior, memory.history(key), now)
      : limitByDefault(bounds);
    const isLimited = limited.replicas !== stable.replicas;
    status.set('ScalingLimited', isLimited, limited.reason, limited.message);
    return limited;
  }

  async #scale(look: Look, target: ScaleTarget, current: number, wanted: Wanted): Promise<void> {
    const { hpa, status, key, now } = look;
    const { replicas, reason } = wanted;
    const { events, memory, scales } = this.tools;
    status.current(current);
    if (replicas === current) {
      status.desired(current, false);
      return;
    }
    try {
      await scales.set(target, replicas);
    } catch (error) {
      const text = messageOf(error);
      this.#warn(hpa, 'FailedRescale', `New size: ${replicas}; reason: ${reason}; error: ${text}`);
      look.outcome.error = 'internal';
      const told = `the HPA controller was unable to update the target scale: ${text}`;
      status.set('AbleToScale', false, 'FailedUpdateScale', told);
      return;
    }
    const told = `the HPA controller was able to update the target scale to ${replicas}`;
    status.set('AbleToScale', true, 'SucceededRescale', told);
    look.outcome.action = actionOf(current, replicas);
    const text = `New size: ${replicas}; reason: ${reason}`;
    events.event(hpa, 'Normal', 'SuccessfulRescale', text);
    if (hpa.spec.behavior) memory.scaled(key, replicas - current, now, this.#behaviorOf(hpa));
    status.desired(replicas, true);
  }

  #warn(hpa: HorizontalPodAutoscaler, reason: string, text: string): void {
    this.tools.events.event(hpa, 'Warning', reason, text);
  }
}

/** Whose fault an error is: only a metric of a type that there is none of is the autoscaler's own (errSpec). */
function errorOf(error: unknown): ScaleError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const isOwn = cause instanceof UnusableMetric && cause.reason === 'InvalidMetricSourceType';
  return isOwn ? 'spec' : 'internal';
}

function parseSelector(
  selector: string,
  refuse: (text: string) => never,
): ReturnType<typeof parseLabelSelector> {
  try {
    return parseLabelSelector(selector);
  } catch (error) {
    return refuse(
      `couldn't convert selector into a corresponding internal selector object: ${messageOf(error)}`,
    );
  }
}
