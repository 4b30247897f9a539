import type { KubeObject } from '@orrery/apimachinery';
import type { Entry } from '@orrery/storage';
import { equalJson } from './json.js';
import { fenced } from './fenced.js';
import { represent, representationOf, toStorable, toStorableSlowly } from './representation.js';
import type { StoreScope } from './store-deps.js';
import type { Attempt, UpdateCall } from './update-call.js';
import { causeOption } from './write-cause.js';

/** True when nothing holds an object in deletion any more. */
export function isFree(scope: StoreScope, object: KubeObject): boolean {
  const { metadata } = object;
  return (
    metadata.deletionTimestamp !== undefined &&
    (metadata.finalizers ?? []).length === 0 &&
    (metadata.deletionGracePeriodSeconds ?? 0) === 0 &&
    (scope.hooks.pendingFinalizers?.(object) ?? []).length === 0
  );
}

/** What counts as a change: neither the version nor the times at which fields were taken do. */
const comparable = (object: KubeObject): KubeObject => ({
  ...object,
  metadata: {
    ...object.metadata,
    resourceVersion: '',
    managedFields: object.metadata.managedFields?.map((entry) => ({ ...entry, time: '' })),
  },
});

/** k8s apiserver pkg/endpoints/handlers/fieldmanager/equality.go:IgnoreManagedFieldsTimestampsTransformer */
const isNoop = (object: KubeObject, old: KubeObject): boolean =>
  equalJson(comparable(object), comparable(old));

/** Writes what an update has made of the stored object: nothing where nothing changed, and its end where nothing holds it any more. */
export async function writeUpdate(
  scope: StoreScope,
  object: KubeObject,
  current: Entry,
  call: UpdateCall,
): Promise<Attempt> {
  const { kind, deps } = scope;
  const old = representationOf(kind, current);
  const result = { created: false, deleted: false };
  // What another key has encrypted is written once more, as upstream does.
  if (isNoop(object, old.object) && !current.isStale)
    return { ...result, unwritten: true, representation: old };
  await call.pause?.();
  if (!call.dryRun && isFree(scope, object)) {
    const cause = causeOption(scope, object, call.context, 'delete');
    await fenced(scope, call.context, (guarded) =>
      deps.storage.delete(current.key, current.revision, { ...cause, ...guarded }),
    );
    await scope.hooks.afterDelete?.(object, { context: call.context, dryRun: false });
    return { ...result, deleted: true, representation: represent(object) };
  }
  if (call.dryRun) {
    // It is the version of what is there, whether it was named or not.
    if (old.object.metadata.resourceVersion)
      object.metadata.resourceVersion = old.object.metadata.resourceVersion;
    return { ...result, representation: represent(object) };
  }
  const stored = call.pause
    ? await toStorableSlowly(kind, object, call.pause)
    : toStorable(kind, object);
  const how = {
    ...causeOption(scope, object, call.context, 'update'),
    object: stored.object,
    ...(scope.ttlSeconds ? { ttlSeconds: scope.ttlSeconds } : {}),
  };
  const entry = await fenced(scope, call.context, (guarded) =>
    deps.storage.update(current.key, current.revision, stored.value, { ...how, ...guarded }),
  );
  return { ...result, representation: representationOf(kind, entry) };
}
