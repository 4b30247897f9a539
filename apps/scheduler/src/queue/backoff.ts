import type { QueuedPod } from './queued-pod.js';

export interface BackoffOptions {
  readonly initialMs: number;
  readonly maxMs: number;
}

/** How long the pod waits after its last failure: doubled with each, up to the limit. */
export function backoffMs(pod: QueuedPod, { initialMs, maxMs }: BackoffOptions): number {
  const count = pod.errors > 0 ? pod.errors : pod.refusals;
  if (count === 0) return 0;
  return Math.min(maxMs, initialMs * 2 ** Math.min(count - 1, 30));
}

/** Monotonic time at which the pod may be tried again. */
export const readyAt = (pod: QueuedPod, options: BackoffOptions): number =>
  pod.since + backoffMs(pod, options);
