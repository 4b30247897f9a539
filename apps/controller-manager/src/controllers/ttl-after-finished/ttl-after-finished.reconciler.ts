import type { ObjectKey } from '@orrery/apimachinery';
import { isConflict, isNotFound } from '@orrery/apimachinery';
import type { Job } from '@orrery/api';
import { resources } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import type { Clock } from '@orrery/component';
import { defineController, done } from '@orrery/controller';
import type { Reconciler, Result } from '@orrery/controller';
import type { Lister } from '@orrery/informers';
import type { ControllerEntry } from '../../controller-entry.js';
import { createTtlMeters } from './ttl-after-finished.metrics.js';
import type { JobDeleted } from './ttl-after-finished.metrics.js';

/** Pure: how long a finished job may stay; undefined for one that stays or has not finished. */
export function remainingMs(job: Job, now: number): number | undefined {
  const ttl = job.spec?.ttlSecondsAfterFinished;
  const end = job.status?.conditions?.find(
    ({ type, status }) => status === 'True' && (type === 'Complete' || type === 'Failed'),
  );
  if (ttl === undefined || !end?.lastTransitionTime || job.metadata.deletionTimestamp)
    return undefined;
  return Date.parse(end.lastTransitionTime) + ttl * 1000 - now;
}

/** Deletes jobs some time after they have finished. */
export class TtlAfterFinishedReconciler implements Reconciler {
  constructor(
    private readonly cache: Lister<Job>,
    private readonly jobs: ResourceClient<Job>,
    private readonly clock: Clock,
    private readonly deleted: JobDeleted,
  ) {}

  async reconcile(key: ObjectKey): Promise<Result> {
    const cached = this.cache.get(key);
    const remaining = cached && remainingMs(cached, this.clock.now());
    if (remaining === undefined) return done;
    if (remaining > 0) return { requeueAfterMs: remaining };
    try {
      // The time may have been prolonged since: judge the job as it is stored.
      const fresh = await this.jobs.get(key);
      const { uid = '', resourceVersion = '' } = fresh.metadata;
      const left = remainingMs(fresh, this.clock.now());
      if (left === undefined) return done;
      if (left > 0) return { requeueAfterMs: left };
      const preconditions = { uid, resourceVersion };
      await this.jobs.delete(key, { propagationPolicy: 'Foreground', preconditions });
      this.deleted(-(remainingMs(fresh, this.clock.now()) ?? left) / 1000);
    } catch (error) {
      if (isConflict(error)) return { requeueAfterMs: 100 };
      if (!isNotFound(error)) throw error;
    }
    return done;
  }
}

export const ttlAfterFinishedController: ControllerEntry = {
  name: 'ttl-after-finished-controller',
  definition: () =>
    defineController('ttl-after-finished-controller').concurrency(5).for(resources.jobs).build(),
  create: ({ client, informers, clock, metrics }) =>
    new TtlAfterFinishedReconciler(
      informers.informer(resources.jobs).lister,
      client.resource(resources.jobs),
      clock,
      createTtlMeters(metrics),
    ),
};
