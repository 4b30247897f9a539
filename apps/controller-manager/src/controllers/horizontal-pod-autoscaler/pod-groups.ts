import type { Container, Pod } from '@orrery/api';
import { parseQuantity, quantityMilliValue } from '@orrery/apimachinery';
import { podCondition } from '../../pods/pod-state.js';

/** What a pod used: thousandths, averaged over a window that ended at `at` (ms). */
export interface PodMetric {
  readonly at: number;
  readonly windowMs: number;
  readonly value: number;
}

/** By the pods' names. */
export type PodMetrics = ReadonlyMap<string, PodMetric>;

export interface Readiness {
  readonly now: number;
  readonly cpuInitializationMs: number;
  readonly initialReadinessMs: number;
}

/** How pods count for an average, by name. */
export interface PodGroups {
  readonly ready: number;
  readonly unready: readonly string[];
  /** Ready as far as one knows, but nobody measured them. */
  readonly missing: readonly string[];
  /** Ended or leaving. */
  readonly ignored: readonly string[];
}

/** The metrics of a cpu that is still starting say nothing (k8s podautoscaler/replica_calculator.go: groupPods). */
function isStarting(pod: Pod, metric: PodMetric, readiness: Readiness): boolean {
  const condition = podCondition(pod, 'Ready');
  const { startTime } = pod.status ?? {};
  if (!condition || !startTime) return true;
  const started = Date.parse(startTime);
  const changed = Date.parse(condition.lastTransitionTime ?? startTime);
  const isFalse = condition.status === 'False';
  if (started + readiness.cpuInitializationMs > readiness.now)
    return isFalse || metric.at < changed + metric.windowMs;
  return isFalse && started + readiness.initialReadinessMs > changed;
}

/** Pure: which pods count as what. */
export function groupPods(
  pods: readonly Pod[],
  metrics: PodMetrics,
  resource: string,
  readiness: Readiness,
): PodGroups {
  const groups = {
    ready: 0,
    unready: [] as string[],
    missing: [] as string[],
    ignored: [] as string[],
  };
  for (const pod of pods) {
    const { name = '', deletionTimestamp } = pod.metadata;
    const metric = metrics.get(name);
    if (deletionTimestamp || pod.status?.phase === 'Failed') groups.ignored.push(name);
    else if (pod.status?.phase === 'Pending') groups.unready.push(name);
    else if (!metric) groups.missing.push(name);
    else if (resource === 'cpu' && isStarting(pod, metric, readiness)) groups.unready.push(name);
    else groups.ready++;
  }
  return groups;
}

export class MissingRequest extends Error {
  override readonly name = 'MissingRequest';
}

/** Init containers that go on running count as containers. */
function runningContainers({ spec }: Pod): Container[] {
  const sidecars = (spec?.initContainers ?? []).filter((c) => c.restartPolicy === 'Always');
  return [...(spec?.containers ?? []), ...sidecars];
}

function requestOf(pod: Pod, resource: string, container: string): number {
  const whole = (pod.spec as { resources?: { requests?: Record<string, string> } }).resources;
  const atPod = container === '' ? whole?.requests?.[resource] : undefined;
  if (atPod !== undefined) return quantityMilliValue(parseQuantity(atPod));
  let sum = 0;
  for (const { name, resources } of runningContainers(pod)) {
    if (container !== '' && container !== name) continue;
    const request = resources?.requests?.[resource];
    if (request === undefined)
      throw new MissingRequest(
        `missing request for ${resource} in container ${name} of Pod ${pod.metadata.name ?? ''}`,
      );
    sum += quantityMilliValue(parseQuantity(request));
  }
  return sum;
}

/** Pure: what each pod requests of the resource, in thousandths; throws {@link MissingRequest}. */
export const podRequests = (
  pods: readonly Pod[],
  resource: string,
  container: string,
): ReadonlyMap<string, number> =>
  new Map(pods.map((pod) => [pod.metadata.name ?? '', requestOf(pod, resource, container)]));
