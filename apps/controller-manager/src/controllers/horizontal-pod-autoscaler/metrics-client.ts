import { parseQuantity, quantityMilliValue, labelSelectorMatcher } from '@orrery/apimachinery';
import type { KubeObject } from '@orrery/apimachinery';
import type { CrossVersionObjectReference, MetricIdentifier, ResourceRef } from '@orrery/api';
import type { KubeClient } from '@orrery/client';
import { parseDuration } from '@orrery/component';
import type { KindMapper } from '../../discovery/kind-mapper.js';
import type { PodMetric, PodMetrics } from './pod-groups.js';
import { MetricsError } from './replica-calculator.js';

const DEFAULT_WINDOW_MS = 60_000;
const RESOURCE_METRICS = '/apis/metrics.k8s.io/v1beta1';
const EXTERNAL_METRICS = '/apis/external.metrics.k8s.io/v1beta1';
const CUSTOM_GROUP = 'custom.metrics.k8s.io';

type PodMetricsObject = KubeObject & {
  readonly timestamp?: string;
  readonly window?: string;
  readonly containers?: readonly {
    readonly name: string;
    readonly usage?: Readonly<Record<string, string>>;
  }[];
};

interface CustomMetric {
  readonly describedObject: { readonly name: string };
  readonly timestamp?: string;
  readonly windowSeconds?: number;
  readonly value: string;
}

const milli = (quantity: string): number => quantityMilliValue(parseQuantity(quantity));

export const selectorText = (metric: MetricIdentifier): string =>
  metric.selector ? labelSelectorMatcher(metric.selector).toString() : '';

const query = (values: Readonly<Record<string, string>>): string => {
  const set = Object.entries(values).filter(([, value]) => value !== '');
  return set.length === 0 ? '' : `?${new URLSearchParams(set).toString()}`;
};

/** Reads the three metrics APIs, which extension servers bring (k8s podautoscaler/metrics/client.go). */
export class MetricsClient {
  constructor(
    private readonly client: KubeClient,
    private readonly kinds: KindMapper,
  ) {}

  /** What pods use of a resource; of one container when it is named. */
  async ofResource(
    resource: string,
    { namespace, selector }: { readonly namespace: string; readonly selector: string },
    container: string,
  ): Promise<PodMetrics> {
    const path = `${RESOURCE_METRICS}/namespaces/${namespace}/pods${query({ labelSelector: selector })}`;
    const failure = 'unable to fetch metrics from resource metrics API';
    const items = await this.#items<PodMetricsObject>(path, failure, 'get pods.metrics.k8s.io');
    if (items.length === 0) throw new MetricsError('no metrics returned from resource metrics API');
    const found = new Map<string, PodMetric>();
    for (const item of items) {
      const value = container ? ofContainer(item, resource, container) : ofPod(item, resource);
      if (value === undefined) continue;
      const windowMs = parseDuration(item.window ?? '') ?? DEFAULT_WINDOW_MS;
      found.set(item.metadata.name ?? '', {
        at: Date.parse(item.timestamp ?? ''),
        windowMs,
        value,
      });
    }
    return found;
  }

  /** A custom metric of each pod. */
  async ofPods(
    metric: MetricIdentifier,
    { namespace, selector }: { readonly namespace: string; readonly selector: string },
  ): Promise<PodMetrics> {
    const items = await this.#custom(
      `namespaces/${namespace}/pods/*/${metric.name}`,
      { labelSelector: selector, metricLabelSelector: selectorText(metric) },
      `get pods.custom.metrics.k8s.io *`,
    );
    return new Map(
      items.map(({ describedObject, timestamp = '', windowSeconds, value }) => [
        describedObject.name,
        {
          at: Date.parse(timestamp),
          windowMs: windowSeconds === undefined ? DEFAULT_WINDOW_MS : windowSeconds * 1000,
          value: milli(value),
        },
      ]),
    );
  }

  /** A custom metric of one object; in thousandths. */
  async ofObject(
    metric: MetricIdentifier,
    namespace: string,
    object: CrossVersionObjectReference,
  ): Promise<number> {
    const place = await this.#placeOf(namespace, object);
    const items = await this.#custom(
      `${place}/${metric.name}`,
      { metricLabelSelector: selectorText(metric) },
      `get ${object.kind.toLowerCase()}.custom.metrics.k8s.io ${object.name}`,
    );
    return milli(items[0]?.value ?? '0');
  }

  /** The sum of all series of an external metric; in thousandths. */
  async ofOutside(metric: MetricIdentifier, namespace: string): Promise<number> {
    const items = await this.#items<{ readonly value: string }>(
      `${EXTERNAL_METRICS}/namespaces/${namespace}/${metric.name}${query({ labelSelector: selectorText(metric) })}`,
      'unable to fetch metrics from external metrics API',
      `get ${metric.name}.external.metrics.k8s.io`,
    );
    if (items.length === 0) throw new MetricsError('no metrics returned from external metrics API');
    return items.reduce((sum, { value }) => sum + milli(value), 0);
  }

  async #placeOf(namespace: string, object: CrossVersionObjectReference): Promise<string> {
    const [group = '', version] = object.apiVersion?.includes('/')
      ? object.apiVersion.split('/')
      : ['', object.apiVersion];
    // The name is not taken: an autoscaler sees its own namespace only.
    if (group === '' && object.kind === 'Namespace') return `namespaces/${namespace}/metrics`;
    const ref: ResourceRef | undefined = await this.kinds.find(group, object.kind, version);
    if (!ref)
      throw new MetricsError(
        `unable to fetch metrics from custom metrics API: no matches for kind "${object.kind}" in group "${group}"`,
      );
    const resource = group === '' ? ref.plural : `${ref.plural}.${group}`;
    return `namespaces/${namespace}/${resource}/${object.name}`;
  }

  async #custom(
    place: string,
    parameters: Readonly<Record<string, string>>,
    action: string,
  ): Promise<readonly CustomMetric[]> {
    const failure = 'unable to fetch metrics from custom metrics API';
    const [version] = await this.kinds.versionsOf(CUSTOM_GROUP);
    if (!version)
      throw new MetricsError(`${failure}: no custom metrics API (${CUSTOM_GROUP}) registered`);
    const path = `/apis/${CUSTOM_GROUP}/${version}/${place}${query(parameters)}`;
    const items = await this.#items<CustomMetric>(path, failure, action);
    if (items.length === 0) throw new MetricsError('no metrics returned from custom metrics API');
    return items;
  }

  async #items<T>(path: string, failure: string, action: string): Promise<readonly T[]> {
    const { code, body } = await this.client.raw(path);
    if (code === 200) return (JSON.parse(body) as { items?: T[] }).items ?? [];
    throw new MetricsError(`${failure}: ${refusal(code, body, action)}`);
  }
}

/** As upstream's client says what a server answered. */
function refusal(code: number, body: string, action: string): string {
  if (body.startsWith('{')) {
    const { message } = JSON.parse(body) as { message?: string };
    if (message) return message;
  }
  if (code === 404) return `the server could not find the requested resource (${action})`;
  if (code === 503) return `the server is currently unable to handle the request (${action})`;
  return `an error on the server (${JSON.stringify(body.trim())}) has prevented the request from succeeding (${action})`;
}

function ofPod({ containers = [] }: PodMetricsObject, resource: string): number | undefined {
  const usages = containers.map(({ usage }) => usage?.[resource]);
  if (usages.length === 0 || usages.includes(undefined)) return undefined;
  return usages.reduce((sum, usage) => sum + milli(usage ?? '0'), 0);
}

function ofContainer(
  { containers = [], metadata }: PodMetricsObject,
  resource: string,
  container: string,
): number | undefined {
  const found = containers.find(({ name }) => name === container);
  if (!found)
    throw new MetricsError(
      `failed to get container metrics: container ${container} not present in metrics for pod ${metadata.namespace ?? ''}/${metadata.name ?? ''}`,
    );
  const usage = found.usage?.[resource];
  return usage === undefined ? undefined : milli(usage);
}
