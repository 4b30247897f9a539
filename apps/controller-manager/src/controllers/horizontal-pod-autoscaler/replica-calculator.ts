import type { Pod } from '@orrery/api';
import { isReady } from '../../pods/pod-state.js';
import { groupPods, podRequests } from './pod-groups.js';
import type { PodGroups, PodMetric, PodMetrics, Readiness } from './pod-groups.js';

/** How far the usage may be off its target, as a share, without a change. */
export interface Tolerances {
  readonly up: number;
  readonly down: number;
}

/** What a count is computed from, whatever the metric. */
export interface Scope {
  readonly current: number;
  readonly pods: readonly Pod[];
  readonly tolerances: Tolerances;
  readonly readiness: Readiness;
}

export interface Proposal {
  readonly replicas: number;
  /** The measured value in thousandths: an average over pods, or the whole for a value target. */
  readonly value: number;
  /** Percent of what was requested. */
  readonly utilization?: number;
}

export class MetricsError extends Error {
  override readonly name = 'MetricsError';
}

const NO_PODS = 'no pods returned by selector while calculating replica count';

const isWithin = (ratio: number, { up, down }: Tolerances): boolean =>
  ratio >= 1 - down && ratio <= 1 + up;

interface Averaging {
  readonly groups: PodGroups;
  /** Of the pods that are ready. */
  readonly measured: PodMetrics;
  readonly ratioOf: (metrics: PodMetrics) => number;
  /** What a pod that nobody measured is taken to use before the count may go down. */
  readonly fallback: (pod: string) => number;
}

/**
 * The count that brings the average to its target. Pods that are missing or not ready damp the change: before going
 * down they count as on target, before going up as idle; a change that would turn round is none.
 */
function balance({ current, tolerances }: Scope, averaging: Averaging): number {
  const { groups, measured, ratioOf } = averaging;
  const ratio = ratioOf(measured);
  const withUnready = groups.unready.length > 0 && ratio > 1;
  if (!withUnready && groups.missing.length === 0)
    return isWithin(ratio, tolerances) ? current : Math.ceil(ratio * groups.ready);
  const filled = fill(averaging, ratio, withUnready);
  const again = ratioOf(filled);
  if (isWithin(again, tolerances) || ratio < 1 !== again < 1) return current;
  const replicas = Math.ceil(again * filled.size);
  return again < 1 ? Math.min(replicas, current) : Math.max(replicas, current);
}

/** The metrics with those that stand in for pods that nobody measured or that do not count yet. */
function fill(
  { groups, measured, fallback }: Averaging,
  ratio: number,
  withUnready: boolean,
): PodMetrics {
  const filled = new Map(measured);
  const put = (names: readonly string[], value: (name: string) => number): void => {
    for (const name of names) filled.set(name, { at: 0, windowMs: 0, value: value(name) });
  };
  if (ratio !== 1) put(groups.missing, ratio < 1 ? fallback : () => 0);
  if (withUnready) put(groups.unready, () => 0);
  return filled;
}

function readyMetrics(metrics: PodMetrics, { ignored, unready }: PodGroups): PodMetrics {
  const left: [string, PodMetric][] = [...metrics].filter(
    ([name]) => !ignored.includes(name) && !unready.includes(name),
  );
  return new Map(left);
}

const sum = (values: Iterable<number>): number => [...values].reduce((total, v) => total + v, 0);

interface Measured {
  readonly groups: PodGroups;
  readonly measured: PodMetrics;
}

function measure(scope: Scope, metrics: PodMetrics, resource: string): Measured {
  if (scope.pods.length === 0) throw new MetricsError(NO_PODS);
  const groups = groupPods(scope.pods, metrics, resource, scope.readiness);
  return { groups, measured: readyMetrics(metrics, groups) };
}

function assertMeasured({ measured }: Measured): void {
  if (measured.size === 0) throw new MetricsError('did not receive metrics for any ready pods');
}

interface Utilization {
  readonly ratio: number;
  readonly percent: number;
  readonly average: number;
}

function utilizationOf(
  metrics: PodMetrics,
  requests: ReadonlyMap<string, number>,
  target: number,
): Utilization {
  const known = [...metrics].filter(([name]) => requests.has(name));
  const requested = sum(known.map(([name]) => requests.get(name) ?? 0));
  if (requested === 0) throw new MetricsError('no metrics returned matched known pods');
  const used = sum(known.map(([, { value }]) => value));
  const percent = Math.trunc((used * 100) / requested);
  return { ratio: percent / target, percent, average: Math.trunc(used / known.length) };
}

/** Pure: for a target in percent of what the pods request (k8s podautoscaler/replica_calculator.go: GetResourceReplicas). */
export function forUtilization(
  scope: Scope,
  metrics: PodMetrics,
  target: { readonly percent: number; readonly resource: string; readonly container: string },
): Proposal {
  const found = measure(scope, metrics, target.resource);
  const requests = podRequests(scope.pods, target.resource, target.container);
  assertMeasured(found);
  const { percent, average } = utilizationOf(found.measured, requests, target.percent);
  const replicas = balance(scope, {
    ...found,
    ratioOf: (counted) => utilizationOf(counted, requests, target.percent).ratio,
    fallback: (pod) => Math.trunc(((requests.get(pod) ?? 0) * Math.max(100, target.percent)) / 100),
  });
  return { replicas, value: average, utilization: percent };
}

/** Pure: for a target value per pod, in thousandths (calcPlainMetricReplicas). `resource` is '' for a custom metric. */
export function forPodAverage(
  scope: Scope,
  metrics: PodMetrics,
  target: { readonly value: number; readonly resource: string },
): Proposal {
  const found = measure(scope, metrics, target.resource);
  assertMeasured(found);
  const averageOf = (counted: PodMetrics): number =>
    Math.trunc(sum([...counted.values()].map(({ value }) => value)) / counted.size);
  const replicas = balance(scope, {
    ...found,
    ratioOf: (counted) => averageOf(counted) / target.value,
    fallback: () => target.value,
  });
  return { replicas, value: averageOf(found.measured) };
}

/** Pure: for one value of an object or of something outside, against a target for the whole (getUsageRatioReplicaCount). */
export function forValue(scope: Scope, value: number, target: number): Proposal {
  const ratio = value / target;
  if (scope.current === 0) return { replicas: Math.ceil(ratio), value };
  if (isWithin(ratio, scope.tolerances)) return { replicas: scope.current, value };
  if (scope.pods.length === 0) throw new MetricsError(`unable to calculate ready pods: ${NO_PODS}`);
  const ready = scope.pods.filter((pod) => pod.status?.phase === 'Running' && isReady(pod)).length;
  return { replicas: Math.ceil(ratio * ready), value };
}

/** Pure: for one value that the pods share, against a target for each of them (GetObjectPerPodMetricReplicas). */
export function forSharedValue(
  observed: number,
  value: number,
  target: number,
  tolerances: Tolerances,
): Proposal {
  const ratio = value / (target * observed);
  const replicas = isWithin(ratio, tolerances) ? observed : Math.ceil(value / target);
  return { replicas, value: observed === 0 ? 0 : Math.ceil(value / observed) };
}
