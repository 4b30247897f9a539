/**
 * What every controller is made of. A controller is a definition (what it watches) and a Reconciler (key in, world
 * matched); the transport runs it: one work queue each, a key never twice at a time, failures retried with growing
 * waits, no reconcile before the cache shows the controller's own writes, and no write once the lease may have
 * passed to another process.
 */
// Reconcilers and what they watch.
export type { Reconciler, Result } from './reconciler.js';
export { TerminalError, done } from './reconciler.js';
export type { ControllerDefinition, WatchDefinition } from './definition.js';
export { DefinitionBuilder, defineController } from './definition.js';
export type { Handle, RunnerOptions } from './controller-runner.js';
export { ControllerRunner } from './controller-runner.js';
// Queues.
export { Backoff } from './queue/backoff.js';
export { ItemBackoff } from './queue/item-backoff.js';
export type { BackoffOptions } from './queue/item-backoff.js';
export { TokenBucket } from './queue/token-bucket.js';
export type { QueueMeters } from './queue/queue-metrics.js';
export { QueueMetrics, createQueueMeters } from './queue/queue-metrics.js';
export type { LeaderMeters } from './election/leader-metrics.js';
export { createLeaderMeters } from './election/leader-metrics.js';
export { WorkQueue } from './queue/work-queue.js';
// Writes.
export type { WrittenKind } from './writes/write-fence.js';
export { WriteFence } from './writes/write-fence.js';
export type { GuardOptions } from './writes/guarded-client.js';
export { GuardedClient } from './writes/guarded-client.js';
export type { Claim } from './writes/ownership.js';
export { Claimer, decideClaim, toControllerRef } from './writes/ownership.js';
export type { PodRequest } from './writes/pod-control.js';
export { PodControl, podFromTemplate } from './writes/pod-control.js';
export { allOrFirstFailure, slowStart } from './writes/slow-start.js';
export { StatusWriter, omitEmpty } from './writes/status-writer.js';
export type { EventRecorder, EventRecorderOptions } from './writes/event-recorder.js';
export { ApiEventRecorder, noEvents } from './writes/event-recorder.js';
export type {
  ActionRecorder,
  ActionReport,
  SeriesRecorderOptions,
} from './writes/series-recorder.js';
export { SeriesRecorder, noActions } from './writes/series-recorder.js';
export { toReference } from './writes/event-reference.js';
// Nodes.
export { nodeMatchesPod, nodeMatchesSelector, nodeMatchesTerm } from './nodes/node-selector.js';
// Resource claims of pods.
export { toleratesDeviceTaint } from './claims/device-taints.js';
export type { ClaimPlace } from './claims/pod-claims.js';
export {
  ALLOCATED_FINALIZER,
  isReservedFor,
  notOwnedBy,
  placeOfClaim,
} from './claims/pod-claims.js';
// Leader election.
export type { LeaderElectionOptions, Leadership } from './election/leader-elector.js';
export { LeaderElector, LeadershipLost, alwaysLeader } from './election/leader-elector.js';
// Nest.
export type { WatchContext, WatchTransportOptions } from './transport/watch-transport.js';
export { WatchTransport, leadAlways } from './transport/watch-transport.js';
export { ReconcileErrorFilter } from './transport/reconcile-error.filter.js';
export { reconcilerController } from './transport/reconciler-controller.js';
// Processes behind a lease.
export type { ElectionFile, ElectionOptions } from './process/leader-elected-flags.js';
export { toServing } from './serving/serving-flags.js';
export type { ServingOptions } from './serving/serving-flags.js';
export { LeaderElectedFlags, toElection, toRequestLimit } from './process/leader-elected-flags.js';
export { ServiceAccountToken } from './process/service-account-token.js';
export type { Acting, GuardedProcess, LeaderElectedOptions } from './process/connect-guarded.js';
export { connectGuarded } from './process/connect-guarded.js';
export { runTransport } from './process/run-transport.js';
