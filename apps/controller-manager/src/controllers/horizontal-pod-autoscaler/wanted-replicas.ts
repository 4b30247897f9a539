import {
  parseKeyString,
  parseLabelSelector,
  parseQuantity,
  quantityMilliValue,
} from '@orrery/apimachinery';
import type { HorizontalPodAutoscaler, MetricSpec, MetricStatus } from '@orrery/api';
import type { LabelMatcher } from '@orrery/informers';
import { limit } from './behavior-limits.js';
import { actionOf } from './horizontal-pod-autoscaler.metrics.js';
import type { ScaleAction, ScaleError } from './horizontal-pod-autoscaler.metrics.js';
import { errorOf, messageOf } from './look.js';
import type {
  AutoscalerCaches,
  AutoscalerSettings,
  AutoscalerTools,
  Look,
  Wanted,
} from './look.js';
import type { MetricProposal, Target } from './metric-proposals.js';
import { UnusableMetric } from './metric-proposals.js';
import type { Tolerances } from './replica-calculator.js';
import type { ScaleTarget } from './scale-target.js';

/** How many replicas an autoscaler asks for (k8s horizontal.go: computeReplicasForMetrics). */
export class WantedReplicas {
  constructor(
    private readonly caches: Pick<AutoscalerCaches, 'pods'>,
    private readonly tools: AutoscalerTools,
    private readonly settings: AutoscalerSettings,
  ) {}

  /** undefined when the metrics do not tell. */
  async of(look: Look, target: ScaleTarget, current: number): Promise<Wanted | undefined> {
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
      const limited = limit(look, this.tools, this.settings, { current, desired: replicas });
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

  #warn(hpa: HorizontalPodAutoscaler, reason: string, text: string): void {
    this.tools.events.event(hpa, 'Warning', reason, text);
  }
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
