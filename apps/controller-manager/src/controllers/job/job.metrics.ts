import type { Job, JobStatus, Pod } from '@orrery/api';
import type { Metrics } from '@orrery/component';
import { exponentialBuckets } from '@orrery/component';
import { isTerminated } from '../../pods/pod-state.js';
import { isNamespaceTerminating } from '../../pods/namespace-terminating.js';
import type { JobPlan } from './job.decide.js';
import { parseIndexes } from './completion-indexes.js';
import { hasCondition } from './job-conditions.js';
import { countsByIndex, isIndexed, isTracked } from './job-pods.js';

const SUBSYSTEM = 'job_controller';

/** What a look at a job did. */
export type JobAction = 'reconciling' | 'tracking' | 'pods_created' | 'pods_deleted';

/** What the job controller counts (k8s pkg/controller/job/metrics/metrics.go). */
export interface JobMeters {
  synced(job: Job, result: 'success' | 'error', action: JobAction, seconds: number): void;
  /** What a status that has been stored says that the one before it did not. */
  told(job: Job, status: JobStatus): void;
  created(job: Job, succeeded: number, failed: number): void;
  /** Failed pods that a rule of the failure policy was for. */
  judged(actions: readonly string[]): void;
  /** A job that another controller looks after was added. */
  foreign(managedBy: string): void;
  /** A pod was added (no `old`), changed, or taken away (no `pod`). */
  podChanged(old: Pod | undefined, pod: Pod | undefined): void;
}

const modeOf = (job: Job): string => (isIndexed(job) ? 'Indexed' : 'NonIndexed');

/** Pure: why a pod is made (job_controller.go:recordJobPodsCreationTotal). */
export function creationReason({ spec, status }: Job): string {
  const { failed = 0, terminating = 0 } = status ?? {};
  if (spec?.podReplacementPolicy === 'Failed' && failed > 0) return 'recreate_failed';
  return failed > 0 || terminating > 0 ? 'recreate_terminating_or_failed' : 'new';
}

const indexes = (text: string | undefined, job: Job): number =>
  parseIndexes(text ?? '', job.spec?.completions ?? 0).size;

/** Pure: how many indexes, or pods, have ended since the status before (recordJobPodFinished). */
export function endedSince(job: Job, status: JobStatus) {
  const before = job.status ?? {};
  const succeeded = isIndexed(job)
    ? indexes(status.completedIndexes, job) - indexes(before.completedIndexes, job)
    : (status.succeeded ?? 0) - (before.succeeded ?? 0);
  return {
    succeeded,
    failed: (status.failed ?? 0) - (before.failed ?? 0),
    failedIndexes: countsByIndex(job)
      ? indexes(status.failedIndexes, job) - indexes(before.failedIndexes, job)
      : 0,
  };
}

/** Pure: what the plan's steps are called; a job that ends only reconciles (manageJob). */
export function actionOf({ spec }: Job, { status, create, remove, withdraw }: JobPlan): JobAction {
  const ends = status?.conditions?.some(
    ({ type, status: is }) =>
      is === 'True' && (type === 'FailureTarget' || type === 'SuccessCriteriaMet'),
  );
  if (!status || ends) return 'reconciling';
  if (spec?.suspend || remove.length + withdraw.length > 0) return 'pods_deleted';
  return create.length > 0 ? 'pods_created' : 'tracking';
}

/** Counts pods as they are created; what came of them is told once, at the end. */
export function countCreations(job: Job, meters: Pick<JobMeters, 'created'>) {
  let [succeeded, failed] = [0, 0];
  return {
    async create<T>(make: () => Promise<T>): Promise<T> {
      try {
        const pod = await make();
        succeeded++;
        return pod;
      } catch (error) {
        if (!isNamespaceTerminating(error)) failed++;
        throw error;
      }
    },
    tell: (): void => {
      meters.created(job, succeeded, failed);
    },
  };
}

const endedTracked = (pod: Pod | undefined): boolean =>
  pod !== undefined && isTerminated(pod) && isTracked(pod);

function createSyncMeters(metrics: Metrics): Pick<JobMeters, 'synced'> {
  const labels = ['completion_mode', 'result', 'action'] as const;
  const syncs = metrics.counter({
    name: `${SUBSYSTEM}_job_syncs_total`,
    help: 'The number of job syncs',
    labels,
  });
  const durations = metrics.histogram({
    name: `${SUBSYSTEM}_job_sync_duration_seconds`,
    help: 'The time it took to sync a job',
    labels,
    buckets: exponentialBuckets(0.004, 2, 15),
  });
  return {
    synced(job, result, action, seconds) {
      const values = { completion_mode: modeOf(job), result, action };
      syncs.inc(values);
      durations.observe(values, seconds);
    },
  };
}

function createEndMeters(metrics: Metrics): Pick<JobMeters, 'told'> {
  const jobs = metrics.counter({
    name: `${SUBSYSTEM}_jobs_finished_total`,
    help: 'The number of finished jobs',
    labels: ['completion_mode', 'result', 'reason'],
  });
  const pods = metrics.counter({
    name: `${SUBSYSTEM}_job_pods_finished_total`,
    help: 'The number of finished Pods that are fully tracked',
    labels: ['completion_mode', 'result'],
  });
  const indexesEnded = metrics.counter({
    name: `${SUBSYSTEM}_job_finished_indexes_total`,
    help: 'The number of finished indexes. Possible values for the status label are: "succeeded", "failed". Possible values for the backoffLimit label are: "perIndex" and "global"',
    labels: ['status', 'backoffLimit'],
  });
  return {
    told(job, status) {
      const completion_mode = modeOf(job);
      const { succeeded, failed, failedIndexes } = endedSince(job, status);
      // A job that was scaled down has fewer: a counter does not go back.
      if (succeeded > 0) pods.inc({ completion_mode, result: 'succeeded' }, succeeded);
      if (failed > 0) pods.inc({ completion_mode, result: 'failed' }, failed);
      const backoffLimit = countsByIndex(job) ? 'perIndex' : 'global';
      if (isIndexed(job) && succeeded > 0)
        indexesEnded.inc({ status: 'succeeded', backoffLimit }, succeeded);
      if (failedIndexes > 0) indexesEnded.inc({ status: 'failed', backoffLimit }, failedIndexes);
      for (const { type, status: is, reason = '' } of status.conditions ?? []) {
        if (is !== 'True' || (type !== 'Complete' && type !== 'Failed')) continue;
        if (hasCondition(job, type)) continue;
        const result = type === 'Complete' ? 'succeeded' : 'failed';
        jobs.inc({ completion_mode, result, reason });
      }
    },
  };
}

function createPodMeters(metrics: Metrics): Pick<JobMeters, 'created' | 'judged' | 'podChanged'> {
  const creations = metrics.counter({
    name: `${SUBSYSTEM}_job_pods_creation_total`,
    help: 'The number of Pods created by the Job controller labelled with a reason for the Pod creation. This metric also distinguishes between Pods created using different PodReplacementPolicy settings. Possible values of the "reason" label are: "new", "recreate_terminating_or_failed", "recreate_failed". Possible values of the "status" label are: "succeeded", "failed".',
    labels: ['reason', 'status'],
  });
  const handled = metrics.counter({
    name: `${SUBSYSTEM}_pod_failures_handled_by_failure_policy_total`,
    help: 'The number of failed Pods handled by failure policy with respect to the failure policy action applied based on the matched rule. Possible values of the action label correspond to the possible values for the failure policy rule action, which are: "FailJob", "Ignore" and "Count".',
    labels: ['action'],
  });
  const tracked = metrics.counter({
    name: `${SUBSYSTEM}_terminated_pods_tracking_finalizer_total`,
    help: 'The number of terminated pods (phase=Failed|Succeeded) that have the finalizer batch.kubernetes.io/job-tracking. The event label can be "add" or "delete".',
    labels: ['event'],
  });
  return {
    created(job, succeeded, failed) {
      const reason = creationReason(job);
      if (succeeded > 0) creations.inc({ reason, status: 'succeeded' }, succeeded);
      if (failed > 0) creations.inc({ reason, status: 'failed' }, failed);
    },
    judged(actions) {
      for (const action of actions) handled.inc({ action });
    },
    podChanged(old, pod) {
      const [was, is] = [endedTracked(old), endedTracked(pod)];
      if (was !== is) tracked.inc({ event: is ? 'add' : 'delete' });
    },
  };
}

export function createJobMeters(metrics: Metrics): JobMeters {
  const foreign = metrics.counter({
    name: `${SUBSYSTEM}_jobs_by_external_controller_total`,
    help: 'The number of Jobs managed by an external controller',
    labels: ['controller_name'],
  });
  return {
    ...createSyncMeters(metrics),
    ...createEndMeters(metrics),
    ...createPodMeters(metrics),
    foreign: (controller_name) => {
      foreign.inc({ controller_name });
    },
  };
}
