import {
  formatQuantity,
  parseQuantity,
  quantityFromMilli,
  quantityMilliValue,
} from '@orrery/apimachinery';
import type {
  LabelSelector,
  MetricIdentifier,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
} from '@orrery/api';
import type { MetricsClient } from './metrics-client.js';
import { forPodAverage, forSharedValue, forUtilization, forValue } from './replica-calculator.js';
import type { Proposal, Scope } from './replica-calculator.js';

/** What one metric of the list says. */
export interface MetricProposal {
  readonly replicas: number;
  /** How events name the metric. */
  readonly name: string;
  readonly status: MetricStatus;
}

/** A metric that cannot be used: the reason of ScalingActive, and the text. */
export class UnusableMetric extends Error {
  override readonly name = 'UnusableMetric';

  constructor(
    readonly reason: string,
    /** What the condition and the event say. */
    readonly detail: string,
    message = detail,
  ) {
    super(message);
  }
}

/** Where the metrics of one autoscaler come from. */
export interface Target {
  readonly namespace: string;
  readonly selector: string;
  readonly scope: Scope;
  /** Replicas that the target says it has. */
  readonly observed: number;
}

const milli = (quantity: string): number => quantityMilliValue(parseQuantity(quantity));
const quantity = (value: number): string => formatQuantity(quantityFromMilli(value));
const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** As Go prints a *metav1.LabelSelector. */
function printSelector(selector: LabelSelector | undefined): string {
  if (!selector) return 'nil';
  const labels = Object.entries(selector.matchLabels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const expressions = (selector.matchExpressions ?? []).map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],},`,
  );
  const map = labels.map(([k, v]) => `${k}: ${v},`).join('');
  return `&LabelSelector{MatchLabels:map[string]string{${map}},MatchExpressions:[]LabelSelectorRequirement{${expressions.join('')}},}`;
}

const externalName = ({ name, selector }: MetricIdentifier): string =>
  `external metric ${name}(${printSelector(selector)})`;

/** Asks for a metric and computes the replicas for it; throws {@link UnusableMetric}. */
export class MetricProposals {
  constructor(private readonly metrics: MetricsClient) {}

  async propose(spec: MetricSpec, target: Target): Promise<MetricProposal> {
    switch (spec.type) {
      case 'Resource':
        return this.#resource(spec, target);
      case 'ContainerResource':
        return this.#containerResource(spec, target);
      case 'Pods':
        return this.#pods(spec, target);
      case 'Object':
        return this.#object(spec, target);
      case 'External':
        return this.#external(spec, target);
      default:
        throw new UnusableMetric(
          'InvalidMetricSourceType',
          `unknown metric source type "${spec.type}"`,
        );
    }
  }

  async #resource({ resource }: MetricSpec, target: Target): Promise<MetricProposal> {
    if (!resource) throw incomplete('FailedGetResourceMetric', 'resource');
    const { name } = resource;
    const found = await this.#usage({ name, container: '', target: resource.target }, target).catch(
      unusable(
        'FailedGetResourceMetric',
        (text) => `failed to get ${name} resource metric value: ${text}`,
      ),
    );
    return { ...found, status: { type: 'Resource', resource: { name, current: found.current } } };
  }

  async #containerResource(
    { containerResource }: MetricSpec,
    target: Target,
  ): Promise<MetricProposal> {
    const reason = 'FailedGetContainerResourceMetric';
    if (!containerResource) throw incomplete(reason, 'container resource');
    const { name, container } = containerResource;
    const found = await this.#usage(containerResource, target).catch(
      unusable(reason, (text) => `failed to get ${name} container metric value: ${text}`),
    );
    const status = { name, container, current: found.current };
    return { ...found, status: { type: 'ContainerResource', containerResource: status } };
  }

  async #usage(
    source: { readonly name: string; readonly container: string; readonly target: MetricTarget },
    target: Target,
  ): Promise<{ replicas: number; name: string; current: MetricValueStatus }> {
    const { averageValue, averageUtilization } = source.target;
    const { name: resource, container } = source;
    if (averageValue === undefined && averageUtilization === undefined)
      throw new Error(
        'invalid resource metric source: neither an average utilization target nor an average value (usage) target was set',
      );
    const metrics = await this.metrics
      .ofResource(resource, target, container)
      .catch((error: unknown) => {
        throw new Error(
          `failed to get ${resource} ${averageValue === undefined ? 'utilization' : 'usage'}: unable to get metrics for resource ${resource}: ${messageOf(error)}`,
          { cause: error },
        );
      });
    try {
      if (averageValue !== undefined) {
        const plain = { value: milli(averageValue), resource };
        const { replicas, value } = forPodAverage(target.scope, metrics, plain);
        return {
          replicas,
          name: `${resource} resource`,
          current: { averageValue: quantity(value) },
        };
      }
      const relative = { percent: averageUtilization ?? 0, resource, container };
      const { replicas, value, utilization = 0 } = forUtilization(target.scope, metrics, relative);
      return {
        replicas,
        name: `${resource} resource utilization (percentage of request)`,
        current: { averageUtilization: utilization, averageValue: quantity(value) },
      };
    } catch (cause) {
      const what = averageValue === undefined ? 'utilization' : 'usage';
      throw new Error(`failed to get ${resource} ${what}: ${messageOf(cause)}`, { cause });
    }
  }

  async #pods({ pods }: MetricSpec, target: Target): Promise<MetricProposal> {
    const reason = 'FailedGetPodsMetric';
    if (!pods) throw incomplete(reason, 'pods');
    const { metric } = pods;
    const compute = async (): Promise<Proposal> => {
      const metrics = await this.metrics.ofPods(metric, target).catch((cause: unknown) => {
        throw new Error(`unable to get metric ${metric.name}: ${messageOf(cause)}`, { cause });
      });
      const wanted = { value: milli(pods.target.averageValue ?? '0'), resource: '' };
      return forPodAverage(target.scope, metrics, wanted);
    };
    const { replicas, value } = await compute().catch(
      unusable(reason, (text) => `failed to get pods metric value: ${text}`),
    );
    const current = { averageValue: quantity(value) };
    return {
      replicas,
      name: `pods metric ${metric.name}`,
      status: { type: 'Pods', pods: { metric, current } },
    };
  }

  async #object({ object }: MetricSpec, target: Target): Promise<MetricProposal> {
    const reason = 'FailedGetObjectMetric';
    if (!object) throw incomplete(reason, 'object');
    const { metric, describedObject, target: wanted } = object;
    const { kind, name } = describedObject;
    const compute = async (): Promise<Proposal> => {
      const value = await this.metrics
        .ofObject(metric, target.namespace, describedObject)
        .catch((cause: unknown) => {
          throw new Error(
            `unable to get metric ${metric.name}: ${kind} on ${target.namespace} ${name}/${messageOf(cause)}`,
            { cause },
          );
        });
      return forWhole(wanted, value, target);
    };
    const { replicas, value } = await compute().catch(
      unusable(reason, (text) => `failed to get object metric value: ${text}`),
    );
    const isValue = wanted.type === 'Value';
    return {
      replicas,
      name: isValue ? `${kind} metric ${metric.name}` : externalName(metric),
      status: {
        type: 'Object',
        object: { describedObject, metric, current: toCurrent(isValue, value) },
      },
    };
  }

  async #external({ external }: MetricSpec, target: Target): Promise<MetricProposal> {
    const reason = 'FailedGetExternalMetric';
    if (!external) throw incomplete(reason, 'external');
    const { metric, target: wanted } = external;
    const isValue = wanted.averageValue === undefined;
    const compute = async (): Promise<Proposal> => {
      const value = await this.metrics
        .ofOutside(metric, target.namespace)
        .catch((cause: unknown) => {
          throw new Error(
            `unable to get external metric ${target.namespace}/${metric.name}/${printSelector(metric.selector)}: ${messageOf(cause)}`,
            { cause },
          );
        });
      return forWhole(wanted, value, target);
    };
    const { replicas, value } = await compute().catch(
      unusable(reason, (text) =>
        isValue
          ? `failed to get external metric ${metric.name}: ${text}`
          : `failed to get ${metric.name} external metric value: failed to get ${metric.name} external metric: ${text}`,
      ),
    );
    return {
      replicas,
      name: externalName(metric),
      status: { type: 'External', external: { metric, current: toCurrent(isValue, value) } },
    };
  }
}

/** One value for all pods, against a target for the whole or for each. */
function forWhole(wanted: MetricTarget, value: number, { scope, observed }: Target): Proposal {
  if (wanted.averageValue !== undefined)
    return forSharedValue(observed, value, milli(wanted.averageValue), scope.tolerances);
  return forValue(scope, value, milli(wanted.value ?? '0'));
}

const toCurrent = (isValue: boolean, value: number): MetricValueStatus =>
  isValue ? { value: quantity(value) } : { averageValue: quantity(value) };

const incomplete = (reason: string, kind: string): UnusableMetric =>
  new UnusableMetric(reason, `invalid ${kind} metric source: it is not given`);

/** The condition says what went wrong, the failure of the whole says of which metric. */
const unusable =
  (reason: string, wrap: (text: string) => string) =>
  (error: unknown): never => {
    throw new UnusableMetric(reason, messageOf(error), wrap(messageOf(error)));
  };
