import type { ObjectKey } from '@orrery/apimachinery';
import { controllerOf, isAlreadyExists, isNotFound } from '@orrery/apimachinery';
import type { CronJob, CronJobStatus, Job, ObjectReference } from '@orrery/api';
import { resources } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import type { Clock } from '@orrery/component';
import { StatusWriter, defineController, done, toControllerRef } from '@orrery/controller';
import type { EventRecorder, Reconciler, Result } from '@orrery/controller';
import { BY_OWNER, byOwner } from '@orrery/informers';
import type { Lister } from '@orrery/informers';
import type { ControllerEntry } from '../../controller-entry.js';
import { createCronJobMeters } from './cronjob.metrics.js';
import type { JobCreated } from './cronjob.metrics.js';
import { cronStatus, finishOf, jobNameAt, planCronJob } from './cronjob.decide.js';
import type { CronEvent } from './cronjob.decide.js';
import { isTimeZone, parseSchedule, timeIn } from './schedule.js';
import type { Schedule } from './schedule.js';

const SCHEDULED_AT = 'batch.kubernetes.io/cronjob-scheduled-timestamp';

export interface CronCaches {
  readonly cronJobs: Lister<CronJob>;
  readonly jobs: Lister<Job>;
}

export interface CronWrites {
  readonly jobs: ResourceClient<Job>;
  readonly status: StatusWriter<CronJobStatus, CronJob>;
}

/** The schedule of a cron job, or the event that says why it has none. Times without a zone are in UTC. */
export function scheduleOf({ spec }: CronJob): Schedule | CronEvent {
  const schedule = spec?.schedule ?? '';
  const timeZone = spec?.timeZone ?? 'UTC';
  if (!isTimeZone(timeZone)) {
    const message = `invalid timeZone: "${timeZone}"`;
    return { type: 'Warning', reason: 'UnknownTimeZone', message };
  }
  try {
    return parseSchedule(schedule, timeZone);
  } catch (error) {
    const message = `unparseable schedule: "${schedule}" : ${error instanceof Error ? error.message : String(error)}`;
    return { type: 'Warning', reason: 'UnparseableSchedule', message };
  }
}

/** Starts a job at each time of a CronJob's schedule. */
export class CronJobReconciler implements Reconciler {
  constructor(
    private readonly caches: CronCaches,
    private readonly writes: CronWrites,
    private readonly events: EventRecorder,
    private readonly clock: Clock,
    private readonly created: JobCreated,
  ) {}

  async reconcile(key: ObjectKey): Promise<Result> {
    const cronJob = this.caches.cronJobs.get(key);
    if (!cronJob?.spec) return done;
    const plan = planCronJob({
      cronJob,
      jobs: this.caches.jobs.byIndex(BY_OWNER, cronJob.metadata.uid ?? ''),
      missing: await this.#missing(cronJob),
      schedule: scheduleOf(cronJob),
      now: this.clock.now(),
    });
    for (const { type, reason, message } of plan.events)
      this.events.event(cronJob, type, reason, message);
    for (const { name = '', uid } of plan.replace) await this.#delete(cronJob, name, uid);
    const job = plan.start === undefined ? undefined : await this.#start(cronJob, plan.start);
    await this.writes.status.writeIfChanged(cronJob, cronStatus(cronJob, plan, job));
    for (const { metadata } of plan.forget)
      await this.#delete(cronJob, metadata.name ?? '', metadata.uid);
    return plan.recheckAfterMs === undefined ? done : { requeueAfterMs: plan.recheckAfterMs };
  }

  /** Active jobs that the cache lacks, and the server too. */
  async #missing({ metadata, status }: CronJob): Promise<Set<string>> {
    const missing = new Set<string>();
    for (const { name = '', uid = '' } of status?.active ?? []) {
      const key = { namespace: metadata.namespace ?? '', name };
      if (this.caches.jobs.get(key)?.metadata.uid === uid) continue;
      const live = await this.#find(key);
      if (live?.metadata.uid !== uid) missing.add(uid);
    }
    return missing;
  }

  async #find(key: ObjectKey): Promise<Job | undefined> {
    try {
      return await this.writes.jobs.get(key);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** Creates the job of that time; the reference to it while it is not finished. */
  async #start(cronJob: CronJob, at: number): Promise<ObjectReference | undefined> {
    const job = await this.#create(cronJob, at);
    if (finishOf(job)) return undefined;
    const { name = '', namespace = '', uid = '', resourceVersion = '' } = job.metadata;
    return { apiVersion: 'batch/v1', kind: 'Job', name, namespace, uid, resourceVersion };
  }

  async #create(cronJob: CronJob, at: number): Promise<Job> {
    const wanted = toJob(cronJob, at);
    const { namespace = '', name = '' } = wanted.metadata;
    try {
      const job = await this.writes.jobs.create(wanted);
      this.created(job, at);
      this.events.event(cronJob, 'Normal', 'SuccessfulCreate', `Created job ${name}`);
      return job;
    } catch (error) {
      // Made before a crash that kept it from the status.
      const existing = isAlreadyExists(error) ? await this.#find({ namespace, name }) : undefined;
      if (existing && controllerOf(existing)?.uid === cronJob.metadata.uid) return existing;
      const text = `Error creating job: ${error instanceof Error ? error.message : String(error)}`;
      this.events.event(cronJob, 'Warning', 'FailedCreate', text);
      throw error;
    }
  }

  async #delete(cronJob: CronJob, name: string, uid: string | undefined): Promise<void> {
    const key = { namespace: cronJob.metadata.namespace ?? '', name };
    const preconditions = uid ? { preconditions: { uid } } : {};
    try {
      await this.writes.jobs.delete(key, { propagationPolicy: 'Background', ...preconditions });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      return;
    }
    this.events.event(cronJob, 'Normal', 'SuccessfulDelete', `Deleted job ${name}`);
  }
}

function toJob(cronJob: CronJob, at: number): Job {
  const { metadata, spec } = structuredClone(cronJob.spec?.jobTemplate ?? {});
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: jobNameAt(cronJob, at),
      namespace: cronJob.metadata.namespace ?? '',
      ...(metadata?.labels ? { labels: metadata.labels } : {}),
      annotations: {
        ...metadata?.annotations,
        [SCHEDULED_AT]: timeIn(at, cronJob.spec?.timeZone ?? 'UTC'),
      },
      ownerReferences: [toControllerRef(resources.cronjobs, cronJob)],
    },
    spec: spec ?? { template: { spec: { containers: [] } } },
  };
}

export const cronJobController: ControllerEntry = {
  name: 'cronjob-controller',
  definition: () =>
    defineController('cronjob-controller')
      .concurrency(5)
      .for(resources.cronjobs)
      .owns(resources.jobs, resources.cronjobs)
      .build(),
  create({ client, informers, events, clock, metrics }) {
    const jobs = informers.informer(resources.jobs);
    jobs.addIndex(BY_OWNER, byOwner);
    return new CronJobReconciler(
      { cronJobs: informers.informer(resources.cronjobs).lister, jobs: jobs.lister },
      {
        jobs: client.resource(resources.jobs),
        status: new StatusWriter<CronJobStatus, CronJob>(client.resource(resources.cronjobs)),
      },
      events('cronjob-controller'),
      clock,
      createCronJobMeters(metrics),
    );
  },
};
