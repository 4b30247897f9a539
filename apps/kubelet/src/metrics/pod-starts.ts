import type { Pod } from '@orrery/api';
import type { Clock } from '@orrery/component';
import { uidOf } from '../containers/visit.js';
import type { PodMetrics } from './pod-metrics.js';

/** Ms since the epoch. */
type Span = readonly [fromMs: number, untilMs: number];

interface Start {
  firstPullMs: number | undefined;
  lastPullMs: number | undefined;
  isTold: boolean;
}

/** Whether each container has started once (k8s pkg/kubelet/util/pod_startup_latency_tracker.go:hasPodStartedSLO). */
function hasStarted({ spec, status }: Pod): boolean {
  const statuses = status?.containerStatuses ?? [];
  return (
    statuses.length === spec.containers.length &&
    statuses.every(({ state }) => state?.running?.startedAt !== undefined)
  );
}

/** From the start of the first init container to the end of the last; sidecars run on and count for nothing. */
function initSpan({ status }: Pod): Span | undefined {
  const ended = (status?.initContainerStatuses ?? []).flatMap(({ state }) => {
    const { startedAt, finishedAt } = state?.terminated ?? {};
    return startedAt && finishedAt ? [[Date.parse(startedAt), Date.parse(finishedAt)]] : [];
  });
  if (ended.length === 0) return undefined;
  return [
    Math.min(...ended.map(([from = 0]) => from)),
    Math.max(...ended.map(([, until = 0]) => until)),
  ];
}

/** Ms that the spans cover together. */
function coveredMs(spans: readonly Span[]): number {
  let total = 0;
  let endMs = -Infinity;
  for (const [from, until] of spans.toSorted(([a], [b]) => a - b)) {
    total += Math.max(0, until - Math.max(from, endMs));
    endMs = Math.max(endMs, until);
  }
  return total;
}

/**
 * How long pods of the API take to start, as those see it who watch them (k8s
 * pkg/kubelet/util/pod_startup_latency_tracker.go). Pods that this kubelet found started are not told of.
 */
export class PodStarts {
  private readonly starts = new Map<string, Start>();
  private hasNetworkPod = false;

  constructor(
    private readonly metrics: PodMetrics,
    private readonly clock: Clock,
  ) {}

  /** The API's newest word on the pod. */
  observed(pod: Pod): void {
    const uid = uidOf(pod);
    const { phase, startTime } = pod.status ?? {};
    if (phase === 'Failed' || phase === 'Succeeded') {
      this.starts.delete(uid);
      return;
    }
    const start = this.starts.get(uid);
    if (!start) {
      if (!startTime)
        this.starts.set(uid, { firstPullMs: undefined, lastPullMs: undefined, isTold: false });
      return;
    }
    if (start.isTold || !hasStarted(pod)) return;
    start.isTold = true;
    this.tell(pod, start);
  }

  pullStarted(uid: string): void {
    const start = this.starts.get(uid);
    if (start) start.firstPullMs ??= this.clock.now();
  }

  pullFinished(uid: string): void {
    const start = this.starts.get(uid);
    if (start) start.lastPullMs = this.clock.now();
  }

  forget(uid: string): void {
    this.starts.delete(uid);
  }

  private tell(pod: Pod, { firstPullMs, lastPullMs }: Start): void {
    const createdMs = Date.parse(pod.metadata.creationTimestamp ?? '');
    if (Number.isNaN(createdMs)) return;
    const totalMs = this.clock.now() - createdMs;
    const init = initSpan(pod);
    const without: Span[] = [
      ...(firstPullMs !== undefined && lastPullMs !== undefined
        ? [[firstPullMs, lastPullMs] as const]
        : []),
      ...(init ? [init] : []),
    ];
    const sliSeconds = Math.max(0, totalMs - coveredMs(without)) / 1000;
    this.metrics.startTotal.observe(totalMs / 1000);
    this.metrics.startSli.observe(sliSeconds);
    if (pod.spec.hostNetwork || this.hasNetworkPod) return;
    this.hasNetworkPod = true;
    this.metrics.firstNetworkStartSli.set(sliSeconds);
  }
}
