import type { PodInfo } from '../framework/pod-info.js';

/** A pod that waits to be scheduled, with the history of its tries. */
export interface QueuedPod {
  info: PodInfo;
  /** Monotonic: when it entered the set that it is in. */
  since: number;
  /** Monotonic: when it was first seen. */
  readonly added: number;
  attempts: number;
  /** Refusals, which lengthen the backoff. */
  refusals: number;
  /** Failures in a row that were nobody's refusal, e.g. of the API server. */
  errors: number;
  /** Which plugins refused it the last time; empty = any change may help. */
  refusedBy: ReadonlySet<string>;
  /** PreEnqueue holds it back. */
  gated: boolean;
  /** It is tried since it has waited long, not since something happened. */
  flushed?: boolean;
  /** Revision of the event for which it is tried (again). */
  wokenBy?: number;
}

export const newQueuedPod = (info: PodInfo, now: number): QueuedPod => ({
  info,
  since: now,
  added: now,
  attempts: 0,
  refusals: 0,
  errors: 0,
  refusedBy: new Set(),
  gated: false,
});
