import { isDeepStrictEqual } from 'node:util';
import type { KubeObject, ObjectKey } from '@orrery/apimachinery';
import { keyOf } from '@orrery/apimachinery';
import type { Pod, ResourceQuota, ResourceQuotaStatus, ResourceRef } from '@orrery/api';
import { resources } from '@orrery/api';
import type { Clock } from '@orrery/component';
import { StatusWriter, defineController, done } from '@orrery/controller';
import type { Reconciler, Result } from '@orrery/controller';
import type { InformerFactory, Lister } from '@orrery/informers';
import type { ControllerEntry } from '../../controller-entry.js';
import { KindMapper } from '../../discovery/kind-mapper.js';
import { ForeignCounts } from './foreign-counts.js';
import { COUNTED, usageOf } from './object-usage.js';
import { isForeign, quotaStatus } from './resourcequota.decide.js';

/** Mends what admission booked for objects that were then not stored. */
const RESYNC_MS = 60_000;
/** After a write: an object that admission had booked may not have been in the cache. */
const RECHECK_MS = 2_000;

interface Counted {
  readonly ref: ResourceRef;
  readonly lister: Lister<KubeObject>;
}

/** Keeps what a quota says to be in use true; the admission plugin only ever adds to it. */
export class ResourceQuotaReconciler implements Reconciler {
  constructor(
    private readonly quotas: Lister<ResourceQuota>,
    private readonly counted: readonly Counted[],
    private readonly foreign: ForeignCounts,
    private readonly status: StatusWriter<ResourceQuotaStatus, ResourceQuota>,
    private readonly clock: Clock,
  ) {}

  async reconcile(key: ObjectKey): Promise<Result> {
    const quota = this.quotas.get(key);
    if (!quota || quota.metadata.deletionTimestamp) return done;
    const world = this.counted.map(({ ref, lister }) => ({
      ref,
      objects: lister.list(key.namespace ?? ''),
    }));
    const names = Object.keys(quota.spec?.hard ?? {}).filter(isForeign);
    const foreign = await this.foreign.of(key.namespace ?? '', names);
    const status = quotaStatus(quota, world, this.clock.now(), foreign);
    const wrote = await this.status.writeIfChanged(quota, status);
    return { requeueAfterMs: wrote ? RECHECK_MS : RESYNC_MS };
  }
}

/** A quota itself is of interest for its limits: what is in use changes with each admission. */
const limitsChanged = (quota: ResourceQuota, old: ResourceQuota): boolean =>
  !isDeepStrictEqual(quota.spec, old.spec) ||
  !isDeepStrictEqual(quota.status?.hard, old.status?.hard);

/** Only pods, services and claims can come to use another amount while they live. */
function usageChanged(ref: ResourceRef, now: () => number) {
  const varies = ['pods', 'services', 'persistentvolumeclaims'].includes(ref.plural);
  return (object: KubeObject, old: KubeObject): boolean => {
    if (ref.group !== '' || !varies) return false;
    if (ref.plural === 'pods' && (object as Pod).status?.phase === (old as Pod).status?.phase)
      return object.metadata.deletionTimestamp !== old.metadata.deletionTimestamp;
    return !isDeepStrictEqual(usageOf(ref, object, now()), usageOf(ref, old, now()));
  };
}

/**
 * The quotas of an object's namespace, for an object that is no longer as it was: one that was only just created is
 * what the cache holds, and admission has counted it already.
 */
function quotasOf(ref: ResourceRef, informers: InformerFactory) {
  const quotas = informers.informer(resources.resourcequotas).lister;
  const objects = informers.informer(ref).lister;
  return (object: KubeObject): ObjectKey[] =>
    objects.get(keyOf(object)) === object ? [] : quotas.list(object.metadata.namespace).map(keyOf);
}

export const resourceQuotaController: ControllerEntry = {
  name: 'resourcequota-controller',
  definition({ informers, clock }) {
    const builder = defineController('resourcequota-controller')
      .concurrency(5)
      .for(resources.resourcequotas, { changed: limitsChanged });
    for (const ref of COUNTED)
      builder.watches(ref, quotasOf(ref, informers), {
        changed: usageChanged(ref, () => clock.now()),
        mayBeAbsent: ref.group !== '',
      });
    return builder.build();
  },
  create: ({ client, informers, clock }) =>
    new ResourceQuotaReconciler(
      informers.informer(resources.resourcequotas).lister,
      COUNTED.map((ref) => ({ ref, lister: informers.informer(ref).lister })),
      new ForeignCounts(client, new KindMapper(client, clock)),
      new StatusWriter<ResourceQuotaStatus, ResourceQuota>(
        client.resource(resources.resourcequotas),
      ),
      clock,
    ),
};
