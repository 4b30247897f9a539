import type { Pod } from '@orrery/api';
import { resources } from '@orrery/api';
import type { CycleState } from '../framework/cycle-state.js';
import type { Framework } from '../framework/framework.js';
import type { PostFilterResult } from '../framework/plugin.js';
import type { QueuedPod } from '../queue/queued-pod.js';
import type { Refusal } from './pod-status-writer.js';

/** One try to place a pod. */
export interface Attempt {
  readonly queued: QueuedPod;
  readonly framework: Framework;
  readonly state: CycleState;
  /** Monotonic, in milliseconds. */
  readonly startedAt: number;
}

/** Why a try failed, for the queue and for the user. */
export interface Failure {
  readonly reason: Refusal['reason'];
  readonly message: string;
  readonly refusedBy: ReadonlySet<string>;
  readonly postFilter?: PostFilterResult;
  /** '' takes back what was told of the node where the pod was expected. */
  readonly nominatedNode?: string;
}

export const none: ReadonlySet<string> = new Set();

/** A failure that is nobody's verdict on the pod. */
export const errorFailure = (error: unknown): Failure => ({
  reason: 'SchedulerError',
  message: error instanceof Error ? error.message : String(error),
  refusedBy: none,
});

/** For events about the pod. */
export const toReference = (pod: Pod): Pod => ({
  ...pod,
  apiVersion: 'v1',
  kind: resources.pods.kind,
});
