import type { ObjectKey } from '@orrery/apimachinery';
import { isNotFound, labelSelectorMatcher, toKeyString } from '@orrery/apimachinery';
import type { Job, JobStatus, Pod } from '@orrery/api';
import { resources } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import type { Clock } from '@orrery/component';
import { allOrFirstFailure, done, slowStart, toControllerRef } from '@orrery/controller';
import type {
  Claimer,
  EventRecorder,
  PodControl,
  Reconciler,
  Result,
  StatusWriter,
} from '@orrery/controller';
import { BY_OWNER } from '@orrery/informers';
import type { Lister } from '@orrery/informers';
import { isNamespaceTerminating } from '../../pods/namespace-terminating.js';
import { ORPHANS } from '../../pods/pod-indexes.js';
import { TRACKED_BY_JOB, TRACKING, giveIndex, isTracked, track } from './job-pods.js';
import { planJob } from './job.decide.js';
import type { JobPlan } from './job.decide.js';
import type { Counting } from './job-tally.js';
import { actionOf, countCreations } from './job.metrics.js';
import type { JobAction, JobMeters } from './job.metrics.js';
import { isFinished } from './job-conditions.js';
import { policyActions } from './pod-failure-policy.js';

const OURS = 'kubernetes.io/job-controller';

/** Who looks after the job. */
export const managerOf = ({ spec }: Job): string => spec?.managedBy ?? OURS;

/** Whether another controller does. */
export const isForeign = (job: Job): boolean => managerOf(job) !== OURS;

export interface JobCaches {
  readonly jobs: Lister<Job>;
  readonly pods: Lister<Pod>;
}

export interface JobWrites {
  readonly jobs: ResourceClient<Job>;
  readonly pods: ResourceClient<Pod>;
  readonly podControl: PodControl;
  readonly claimer: Claimer<Pod>;
  readonly status: StatusWriter<JobStatus, Job>;
  readonly events: EventRecorder;
}

/** What a look at a job has done so far. */
interface Sync {
  action: JobAction;
}

/** What of a Job's status the API server knows. */
export type CountingOf = () => Promise<Counting>;

/** Runs pods until as many have succeeded as a Job asks for. */
export class JobReconciler implements Reconciler {
  constructor(
    private readonly caches: JobCaches,
    private readonly writes: JobWrites,
    private readonly clock: Clock,
    private readonly countingOf: CountingOf,
    private readonly meters: JobMeters,
  ) {}

  async reconcile(key: ObjectKey): Promise<Result> {
    const job = this.caches.jobs.get(key);
    await this.#releaseStrangers(key, job);
    if (!job || isForeign(job)) return done;
    const begun = this.clock.monotonic();
    const sync: Sync = { action: 'reconciling' };
    const measure = (result: 'success' | 'error'): void => {
      const seconds = (this.clock.monotonic() - begun) / 1000;
      if (!isFinished(job)) this.meters.synced(job, result, sync.action, seconds);
    };
    try {
      const result = await this.#sync(job, sync);
      measure('success');
      return result;
    } catch (error) {
      measure('error');
      throw error;
    }
  }

  async #sync(job: Job, sync: Sync): Promise<Result> {
    const pods = await this.#claim(job);
    if (!pods) return done;
    const counting = await this.countingOf();
    const plan = planJob(job, pods, this.clock.now(), counting);
    sync.action = actionOf(job, plan);
    const failure = await this.#resize(job, plan, counting).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    // What is released must be in the stored status: else its end would never be counted.
    if (plan.status && (await this.writes.status.writeIfChanged(job, plan.status))) {
      this.meters.told(job, plan.status);
      this.meters.judged(policyActions(job, plan.release));
      for (const { type, reason, message } of plan.events)
        this.writes.events.event(job, type, reason, message);
    }
    await allOrFirstFailure(plan.release.map((pod) => this.#release(pod)));
    if (failure && !isNamespaceTerminating(failure.error)) throw failure.error;
    return plan.recheckAfterMs === undefined ? done : { requeueAfterMs: plan.recheckAfterMs };
  }

  /** The job's pods; undefined when it selects none. */
  async #claim(job: Job): Promise<Pod[] | undefined> {
    const selector = labelSelectorMatcher(job.spec?.selector);
    if (selector.empty) return undefined;
    const { uid = '', namespace = '' } = job.metadata;
    const candidates = [
      ...this.caches.pods.byIndex(BY_OWNER, uid),
      ...this.caches.pods.byIndex(ORPHANS, namespace),
    ];
    return this.writes.claimer.claim(job, selector.matches.bind(selector), candidates);
  }

  async #resize(job: Job, plan: JobPlan, counting: Counting): Promise<void> {
    const { create, failures, remove, withdraw } = plan;
    const { podControl } = this.writes;
    await allOrFirstFailure([
      ...remove.map((pod) => podControl.delete(job, pod)),
      ...withdraw.map(async (pod) => {
        await this.#release(pod);
        await podControl.delete(job, pod);
      }),
    ]);
    const template = job.spec?.template ?? { spec: { containers: [] } };
    const controllerRef = toControllerRef(resources.jobs, job);
    const counted = countCreations(job, this.meters);
    await slowStart(create.length, (at) =>
      counted.create(() =>
        podControl.create({
          template,
          owner: job,
          controllerRef,
          edit: (pod) => {
            const index = create[at];
            if (counting === 'tracked') track(pod);
            giveIndex(pod, job, index, index === undefined ? undefined : failures.get(index));
          },
        }),
      ),
    ).finally(counted.tell);
  }

  /** Lets go the pods of a job of this name that is no more. */
  async #releaseStrangers(key: ObjectKey, job: Job | undefined): Promise<void> {
    const tracked = this.caches.pods.byIndex(TRACKED_BY_JOB, toKeyString(key));
    const strangers = tracked.filter((pod) => !isOf(pod, job));
    if (strangers.length === 0) return;
    // The cache of jobs may be behind that of pods: ask.
    const live = await this.writes.jobs.get(key).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    const gone = strangers.filter((pod) => !isOf(pod, live));
    await allOrFirstFailure(gone.map((pod) => this.#release(pod)));
  }

  async #release(pod: Pod): Promise<void> {
    if (!isTracked(pod)) return;
    const { namespace = '', name = '', uid } = pod.metadata;
    const patch = { metadata: { uid, [`$deleteFromPrimitiveList/finalizers`]: [TRACKING] } };
    try {
      await this.writes.pods.patch({ namespace, name }, 'strategic', patch);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

/** Owned by the job, or free for it to adopt. */
function isOf(pod: Pod, job: Job | undefined): boolean {
  const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller === true);
  return job !== undefined && (!owner || owner.uid === job.metadata.uid);
}
