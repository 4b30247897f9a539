import type { KubeObject } from '@orrery/apimachinery';
import {
  FieldPath,
  OBJECT_MODIFIED,
  StatusError,
  invalid,
  newBadRequest,
  newConflict,
  newInvalid,
  newNotFound,
  toApiVersion,
} from '@orrery/apimachinery';
import type { KindDescriptor, Strategy } from '@orrery/api';
import { isOutcomeUnknown, isStorageError } from '@orrery/storage';
import type { Entry } from '@orrery/storage';
import type { AdmissionAttributes } from './admission.js';
import type { TrackFields } from './create.js';
import { createObject, setManagedFields } from './create.js';
import { declarationChanged, hasGeneration } from './generation.js';
import { equalJson } from './json.js';
import { fenced } from './fenced.js';
import type { Representation } from './representation.js';
import { represent, representationOf, toStorable } from './representation.js';
import type { RequestContext } from './request-context.js';
import { toStatusError } from './storage-status.js';
import type { StoreScope } from './store-deps.js';
import { keyOfObject, kindContextOf } from './store-deps.js';
import { causeOption } from './write-cause.js';

export interface UpdateCall {
  readonly context: RequestContext;
  readonly namespace?: string;
  readonly name: string;
  readonly dryRun?: boolean;
  readonly options?: unknown;
  /** 'status' and others take another strategy; '' is the object itself. */
  readonly subresource?: string;
  readonly strategy?: Strategy;
  /** Creates the object when there is none: PUT of kinds that allow it, and apply. */
  readonly createWhenAbsent?: boolean;
  /** Retries when the object changes meanwhile and the new object names no resourceVersion. Default true. */
  readonly retryOnConflict?: boolean;
  readonly track?: TrackFields;
  /** As in CreateCall. */
  readonly pause?: () => Promise<void>;
  /** The caller has asked the admission chain itself, about another object (Scale, Binding …). */
  readonly admitted?: boolean;
  /** What it changes is not what users declare: a node that a scheduler has chosen. */
  readonly keepsGeneration?: boolean;
}

/**
 * Makes the new object from the stored one (undefined = there is none). Must not change `current`, and must answer
 * an object that shares nothing with it. Called again after a conflict.
 */
export type Transform = (current: KubeObject | undefined) => Promise<KubeObject> | KubeObject;

export interface UpdateResult {
  readonly representation: Representation;
  readonly created: boolean;
  /** The update took away the last finalizer of an object in deletion, so that it is gone. */
  readonly deleted: boolean;
}

/** What one attempt came to. */
interface Attempt extends UpdateResult {
  /** The update changes nothing, so that nothing was written. */
  readonly unwritten?: boolean;
}

const ATTEMPTS = 16;

const UINT64 = 2n ** 64n;

/** k8s apiserver pkg/storage/api_object_versioner.go:ObjectResourceVersion, whose errors nobody makes a Status of. */
function parseVersion(version: string): bigint {
  if (version === '') return 0n;
  const isNumber = /^\d+$/.test(version);
  if (isNumber && BigInt(version) < UINT64) return BigInt(version);
  const problem = isNumber ? 'value out of range' : 'invalid syntax';
  throw new StatusError(
    500,
    '',
    `strconv.ParseUint: parsing ${JSON.stringify(version)}: ${problem}`,
  );
}

function checkVersions(scope: StoreScope, object: KubeObject, old: KubeObject): void {
  const name = old.metadata.name ?? '';
  const { uid, resourceVersion } = object.metadata;
  if (uid && uid !== old.metadata.uid) {
    throw newConflict(
      scope.resource,
      name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`,
    );
  }
  const version = parseVersion(resourceVersion ?? '');
  if (version === 0n) {
    if (scope.kind.strategy.allowUnconditionalUpdate === false) {
      // Upstream names the resource for the kind (k8s apiserver pkg/registry/generic/registry/store.go:Update).
      const { group, resource } = scope.resource;
      throw newInvalid({ group, kind: resource }, name, [
        invalid(FieldPath.of('metadata', 'resourceVersion'), 0, 'must be specified for an update'),
      ]);
    }
  } else if (version !== BigInt(old.metadata.resourceVersion ?? '')) {
    throw newConflict(scope.resource, name, OBJECT_MODIFIED);
  }
}

/** Fields that the server owns stay as stored. */
function keepServerFields(object: KubeObject, old: KubeObject): void {
  const { metadata } = object;
  const before = old.metadata;
  metadata.uid = before.uid ?? '';
  const keep = <K extends 'creationTimestamp' | 'deletionTimestamp' | 'generation'>(
    key: K,
  ): void => {
    if (before[key] === undefined) delete metadata[key];
    else metadata[key] = before[key];
  };
  keep('creationTimestamp');
  keep('deletionTimestamp');
  keep('generation');
  if (before.deletionGracePeriodSeconds === undefined) delete metadata.deletionGracePeriodSeconds;
  else metadata.deletionGracePeriodSeconds = before.deletionGracePeriodSeconds;
  delete metadata.selfLink;
}

/** k8s apiserver pkg/endpoints/handlers/rest.go:checkName. */
export function checkIdentity(
  kind: Pick<KindDescriptor, 'scope'>,
  object: KubeObject,
  call: { readonly namespace?: string },
  name: string,
): void {
  const { metadata } = object;
  if (kind.scope === 'Cluster') delete metadata.namespace;
  else if (!metadata.namespace && call.namespace) metadata.namespace = call.namespace;
  if (!metadata.name) {
    throw newBadRequest(
      `the name of the object (${name} based on URL) was undeterminable: name must be provided`,
    );
  }
  if (metadata.name !== name) {
    throw newBadRequest(
      `the name of the object (${metadata.name}) does not match the name on the URL (${name})`,
    );
  }
  if (kind.scope === 'Namespaced' && metadata.namespace !== call.namespace) {
    throw newBadRequest(
      `the namespace of the object (${metadata.namespace}) does not match the namespace on the request (${call.namespace})`,
    );
  }
}

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
  const counts = hasGeneration(kind) && !call.keepsGeneration;
  if (counts && declarationChanged(kind, object, old))
    object.metadata.generation = (old.metadata.generation ?? 0) + 1;
  await call.pause?.();
  const found = strategy.validateUpdate?.(object, old, context) ?? [];
  const late = await strategy.validateSlowly?.(object, old, context, found);
  const errors = late ? [...found, ...late] : found;
  if (errors.length > 0) throw newInvalid(kind, object.metadata.name ?? '', errors);
  strategy.canonicalize?.(object);
}

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

async function write(
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
  const stored = toStorable(kind, object);
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
  checkVersions(scope, object, old);
  await pause();
  kind.setDefaults?.(object);
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
  if (!call.admitted) await scope.deps.admission.admit(attributes);
  await pause();
  await prepare(scope, object, old, call);
  await pause();
  await setManagedFields(object, old, call.track);
  await pause();
  const hookCall = { context: call.context, dryRun: call.dryRun ?? false };
  const finish = call.subresource
    ? undefined
    : await scope.hooks.beginUpdate?.(object, old, hookCall);
  let written = false;
  try {
    if (!call.admitted) await scope.deps.admission.validate(attributes);
    await pause();
    const result = await write(scope, object, current, call);
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
  if (object.metadata.uid) {
    // A client that names a uid means an object that was there (k8s store.go:Update).
    throw newConflict(
      scope.resource,
      call.name,
      `Precondition failed: UID in precondition: ${object.metadata.uid}, UID in object meta: `,
    );
  }
  checkIdentity(scope.kind, object, call, call.name);
  delete object.metadata.resourceVersion;
  const representation = await createObject(scope, object, call);
  return { representation, created: true, deleted: false };
}

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
    for (let left = ATTEMPTS; ; left--) {
      try {
        if (!current) return await createAbsent(scope, transform, call);
        return await attempt(scope, transform, current, call);
      } catch (error) {
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
