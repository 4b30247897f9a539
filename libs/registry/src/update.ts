import type { KubeObject } from '@orrery/apimachinery';
import {
  StatusError,
  newConflict,
  newInvalid,
  newNotFound,
  toApiVersion,
} from '@orrery/apimachinery';
import { isOutcomeUnknown, isStorageError } from '@orrery/storage';
import type { Entry } from '@orrery/storage';
import type { AdmissionAttributes } from './admission.js';
import { admitted, createObject, setManagedFields } from './create.js';
import type { TrackFields } from './create.js';
import { declarationChanged, mayMakeGeneration } from './generation.js';
import { dropRepeatedOwners } from './owner-references.js';
import { representationOf } from './representation.js';
import { toStatusError } from './storage-status.js';
import type { StoreScope } from './store-deps.js';
import { keyOfObject, kindContextOf } from './store-deps.js';
import { isPatch } from './update-call.js';
import type { Attempt, Transform, UpdateCall, UpdateResult } from './update-call.js';
import {
  checkIdentity,
  checkUid,
  checkVersions,
  commonProblems,
  dropUnreadable,
  keepServerFields,
  parseVersion,
} from './update-checks.js';
import { writeUpdate } from './write-update.js';

const ATTEMPTS = 16;

async function prepare(
  scope: StoreScope,
  object: KubeObject,
  old: KubeObject,
  call: UpdateCall,
): Promise<void> {
  const { kind } = scope;
  const strategy = call.strategy ?? kind.strategy;
  const context = kindContextOf(scope, call.context);
  keepServerFields(object, old);
  strategy.prepareForUpdate?.(object, old, context);
  if (mayMakeGeneration(kind, call) && declarationChanged(kind, object, old))
    object.metadata.generation = (old.metadata.generation ?? 0) + 1;
  await call.pause?.();
  const found = strategy.validateUpdate?.(object, old, context) ?? [];
  const late = await strategy.validateSlowly?.(object, old, context, found);
  const errors = late ? [...found, ...late] : found;
  if (errors.length > 0) {
    const common = commonProblems(object, old, errors);
    throw newInvalid(kind, object.metadata.name ?? '', [...common, ...errors]);
  }
  strategy.canonicalize?.(object);
}

const noPause = (): Promise<void> => Promise.resolve();

async function attempt(
  scope: StoreScope,
  transform: Transform,
  current: Entry,
  call: UpdateCall,
): Promise<Attempt> {
  const { kind } = scope;
  const { pause = noPause } = call;
  const old = representationOf(kind, current).object;
  const object = await transform(old);
  object.kind = kind.kind;
  object.apiVersion = toApiVersion(kind.group, kind.version);
  checkIdentity(kind, object, call, call.name);
  if (!isPatch(call)) checkUid(scope, object, old);
  checkVersions(scope, object, old);
  dropUnreadable(object, old);
  if (!isPatch(call)) dropRepeatedOwners(object, call.context);
  await pause();
  kind.setDefaults?.(object);
  await pause();
  // As its author would have it: what admission and the strategy change belongs to nobody (k8s apiserver pkg/endpoints/handlers/update.go).
  await setManagedFields(object, old, call.track);
  await pause();
  const attributes: AdmissionAttributes = {
    operation: 'UPDATE',
    kind,
    subresource: call.subresource ?? '',
    ...(call.namespace ? { namespace: call.namespace } : {}),
    name: call.name,
    object,
    oldObject: old,
    dryRun: call.dryRun ?? false,
    context: call.context,
    ...(call.options === undefined ? {} : { options: call.options }),
  };
  if (!call.admitted) await admitted(scope, object, attributes);
  dropRepeatedOwners(object, call.context, true);
  await pause();
  await prepare(scope, object, old, call);
  await pause();
  const hookCall = { context: call.context, dryRun: call.dryRun ?? false };
  const finish = call.subresource
    ? undefined
    : await scope.hooks.beginUpdate?.(object, old, hookCall);
  let written = false;
  try {
    if (!call.admitted) await scope.deps.admission.validate(attributes);
    await pause();
    const result = await writeUpdate(scope, object, current, call);
    written = !call.dryRun;
    return result;
  } finally {
    await finish?.(written);
  }
}

async function createAbsent(
  scope: StoreScope,
  transform: Transform,
  call: UpdateCall,
): Promise<UpdateResult> {
  if (!call.createWhenAbsent || call.subresource) throw newNotFound(scope.resource, call.name);
  const object = await transform(undefined);
  parseVersion(object.metadata.resourceVersion ?? '');
  const { uid } = object.metadata;
  if (uid && isPatch(call)) {
    throw newConflict(
      scope.resource,
      call.name,
      `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
    );
  }
  checkUid(scope, { metadata: { ...object.metadata, name: call.name } }, undefined);
  checkIdentity(scope.kind, object, call, call.name);
  delete object.metadata.resourceVersion;
  const representation = await createObject(scope, object, call);
  return { representation, created: true, deleted: false };
}

/** Who owns which field can be done without where an object is too large with it (k8s apiserver pkg/endpoints/handlers/update.go). */
const nobody: TrackFields = () => undefined;

/** PUT and PATCH: replaces the stored object by what `transform` makes of it. An update that changes nothing writes nothing. */
export async function updateObject(
  scope: StoreScope,
  transform: Transform,
  call: UpdateCall,
): Promise<UpdateResult> {
  try {
    const quick = await attemptFromMemory(scope, transform, call);
    if (quick) return quick;
    let current = await readCurrent(scope, call, 'consistent');
    let how = call;
    for (let left = ATTEMPTS; ; left--) {
      try {
        if (!current) return await createAbsent(scope, transform, how);
        return await attempt(scope, transform, current, how);
      } catch (error) {
        if (isStorageError(error, 'tooLarge') && how.track && how.track !== nobody) {
          how = { ...call, track: nobody };
          continue;
        }
        const raced = isStorageError(error, 'conflict') || isAbsentRace(error, call);
        if (!raced || left <= 1 || call.retryOnConflict === false) throw error;
        current = await readCurrent(scope, call, 'consistent');
      }
    }
  } catch (error) {
    throw toStatusError(error, scope.resource, call.name);
  }
}

const readCurrent = (
  scope: StoreScope,
  { context, namespace, name }: UpdateCall,
  kind: 'any' | 'consistent',
): Promise<Entry | undefined> =>
  scope.deps.storage.get(keyOfObject(scope, namespace, name), {
    freshness: { kind },
    // What memory has at once needs no signal, which costs more than the read.
    ...(kind === 'any' ? {} : { signal: context.signal }),
  });

/**
 * A first attempt on the state in memory, which may be old: only a write counts, since etcd compares its revision.
 * Whatever else comes of it (an error, nothing to write) is judged again on a consistent read.
 */
async function attemptFromMemory(
  scope: StoreScope,
  transform: Transform,
  call: UpdateCall,
): Promise<UpdateResult | undefined> {
  const known = await readCurrent(scope, call, 'any');
  if (!known || call.dryRun) return undefined;
  try {
    const result = await attempt(scope, transform, known, call);
    return result.unwritten ? undefined : result;
  } catch (error) {
    if (isOutcomeUnknown(error) || call.context.signal.aborted) throw error;
    return undefined;
  }
}

/** A create for an absent object lost against another create: the next attempt is an update. */
const isAbsentRace = (error: unknown, call: UpdateCall): boolean =>
  call.createWhenAbsent === true &&
  error instanceof StatusError &&
  error.reason === 'AlreadyExists';
