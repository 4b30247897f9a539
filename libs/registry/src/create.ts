import type { KubeObject, ManagedFieldsEntry } from '@orrery/apimachinery';
import {
  StatusError,
  newAlreadyExists,
  newBadRequest,
  newInvalid,
  problemOfEntries,
  toApiVersion,
} from '@orrery/apimachinery';
import { randomSuffix, toTime } from '@orrery/component';
import { isStorageError } from '@orrery/storage';
import type { AdmissionAttributes } from './admission.js';
import { fenced } from './fenced.js';
import { dropRepeatedOwners } from './owner-references.js';
import type { Representation } from './representation.js';
import { represent, representationOf, toStorable, toStorableSlowly } from './representation.js';
import type { RequestContext } from './request-context.js';
import { toStatusError } from './storage-status.js';
import { hasGeneration } from './generation.js';
import type { StoreScope } from './store-deps.js';
import { isPatch } from './update-call.js';
import { keyOfObject, kindContextOf } from './store-deps.js';
import { dropUnreadable } from './update-checks.js';
import { causeOption } from './write-cause.js';

export interface CreateCall {
  readonly context: RequestContext;
  readonly namespace?: string;
  /** The name in the URL, for creates by PUT or apply. */
  readonly name?: string;
  readonly dryRun?: boolean;
  readonly options?: unknown;
  /** Who owns which field after this write; without it metadata.managedFields stays as the client sent it. */
  readonly track?: TrackFields;
  /** Lets other requests have their turn between the steps for a large object; absent = it is small. */
  readonly pause?: () => Promise<void>;
}

/** Answers the new metadata.managedFields of `object`, which replaces `old`. Must change neither. */
export type TrackFields = (
  object: KubeObject,
  old: KubeObject | undefined,
) => Entries | Promise<Entries>;

type Entries = ManagedFieldsEntry[] | undefined;

/** Sets what {@link TrackFields} answers. */
export async function setManagedFields(
  object: KubeObject,
  old: KubeObject | undefined,
  track: TrackFields | undefined,
): Promise<void> {
  const tracked = track ? track(object, old) : object.metadata.managedFields;
  const entries = tracked instanceof Promise ? await tracked : tracked;
  if (entries === undefined || entries.length === 0) delete object.metadata.managedFields;
  else object.metadata.managedFields = entries;
}

/**
 * Lets the mutating plugins change the object. Entries of owners that nobody can read behind them stay as they were, with a warning
 * (k8s apiserver pkg/endpoints/handlers/fieldmanager/admission.go).
 */
export async function admitted(
  { deps }: StoreScope,
  { metadata }: KubeObject,
  attributes: AdmissionAttributes,
): Promise<void> {
  const before = metadata.managedFields;
  await deps.admission.admit(attributes);
  const after = attributes.object?.metadata ?? metadata;
  if (after.managedFields === before) return;
  const problem = problemOfEntries(after.managedFields ?? []);
  if (problem === undefined) return;
  if (before === undefined) delete after.managedFields;
  else after.managedFields = before;
  attributes.context.warn(
    `.metadata.managedFields was in an invalid state after admission; this could be caused by an outdated mutating admission controller; please fix your requests: ${problem}`,
  );
}

const MAX_NAME = 63;
const SUFFIX = 5;
/** Attempts at a free generated name (k8s apiserver pkg/registry/generic/registry/store.go:maxNameGenerationCreateAttempts). */
const ATTEMPTS = 8;

/**
 * Names the namespace of the request, or refuses the one in the body; what lies in no namespace loses it
 * (k8s apiserver pkg/registry/rest/meta.go:EnsureObjectNamespaceMatchesRequestNamespace).
 */
export function checkNamespace(
  scope: StoreScope,
  object: KubeObject,
  namespace: string | undefined,
): void {
  if (scope.kind.scope === 'Cluster') {
    delete object.metadata.namespace;
    return;
  }
  if (!object.metadata.namespace && namespace) object.metadata.namespace = namespace;
  if (object.metadata.namespace !== namespace) {
    throw newBadRequest(
      `the namespace of the provided object does not match the namespace sent on the request`,
    );
  }
}

/** What only the server sets (k8s apiserver pkg/registry/rest/meta.go:WipeObjectMetaSystemFields). */
function wipe({ metadata }: KubeObject): void {
  delete metadata.selfLink;
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
}

/** None, zero, and what is no number are as good as none (k8s apiserver pkg/storage/etcd3/store.go:Create). */
const isVersion = (version: string | undefined): boolean =>
  version !== undefined &&
  /^\d+$/u.test(version) &&
  BigInt(version) > 0n &&
  BigInt(version) < 2n ** 64n;

function stamp(scope: StoreScope, object: KubeObject): void {
  const { metadata } = object;
  if (!isVersion(metadata.resourceVersion)) delete metadata.resourceVersion;
  // Admission may have set them.
  wipe(object);
  metadata.uid = scope.deps.random.uuid();
  metadata.creationTimestamp = toTime(scope.deps.clock.now());
  if (hasGeneration(scope.kind)) metadata.generation = 1;
  else delete metadata.generation;
}

function generateName(scope: StoreScope, object: KubeObject): void {
  const base = (object.metadata.generateName ?? '').slice(0, MAX_NAME - SUFFIX);
  object.metadata.name = `${base}${randomSuffix(scope.deps.random, SUFFIX)}`;
}

/** Defaults, prepares, names, validates and canonicalizes a new object, in upstream's order. */
async function prepare(
  scope: StoreScope,
  object: KubeObject,
  { context, pause }: CreateCall,
): Promise<void> {
  const { kind } = scope;
  const kindContext = kindContextOf(scope, context);
  stamp(scope, object);
  kind.strategy.prepareForCreate?.(object, kindContext);
  await pause?.();
  const found = kind.strategy.validate?.(object, kindContext) ?? [];
  const late = await kind.strategy.validateSlowly?.(object, undefined, kindContext, found);
  const errors = late ? [...found, ...late] : found;
  if (errors.length > 0) {
    const name = object.metadata.name ?? object.metadata.generateName ?? '';
    throw newInvalid(kind, name, errors);
  }
  kind.strategy.canonicalize?.(object);
}

async function store(
  scope: StoreScope,
  object: KubeObject,
  call: CreateCall,
): Promise<Representation> {
  const { kind, deps } = scope;
  const name = object.metadata.name ?? '';
  const key = keyOfObject(scope, object.metadata.namespace, name);
  if (call.dryRun) {
    const found = await deps.storage.get(key, { freshness: { kind: 'consistent' } });
    if (found) throw newAlreadyExists(scope.resource, name);
    return represent(object);
  }
  if (object.metadata.resourceVersion)
    throw new StatusError(500, '', 'resourceVersion should not be set on objects to be created');
  const stored = call.pause
    ? await toStorableSlowly(kind, object, call.pause)
    : toStorable(kind, object);
  // No signal: whoever goes away or whose time is over is answered elsewhere, and nothing else would be saved.
  const options = {
    ...causeOption(scope, object, call.context, 'create'),
    object: stored.object,
    ...(scope.ttlSeconds ? { ttlSeconds: scope.ttlSeconds } : {}),
  };
  const entry = await fenced(scope, call.context, (guarded) =>
    deps.storage.create(key, stored.value, { ...options, ...guarded }),
  );
  return representationOf(kind, entry);
}

async function attempt(
  scope: StoreScope,
  object: KubeObject,
  call: CreateCall,
  attributes: AdmissionAttributes,
): Promise<Representation> {
  await prepare(scope, object, call);
  await call.pause?.();
  const hookCall = { context: call.context, dryRun: call.dryRun ?? false };
  const finish = await scope.hooks.beginCreate?.(object, hookCall);
  let written = false;
  try {
    await scope.deps.admission.validate({ ...attributes, name: object.metadata.name ?? '' });
    await call.pause?.();
    const made = await store(scope, object, call);
    written = !call.dryRun;
    return made;
  } finally {
    await finish?.(written);
  }
}

/** The object as its author would have it, and owned by that one: what admission and the strategy add belongs to nobody (k8s apiserver pkg/endpoints/handlers/create.go). */
async function complete(
  { kind }: StoreScope,
  object: KubeObject,
  { pause, track }: CreateCall,
): Promise<void> {
  await pause?.();
  kind.setDefaults?.(object);
  await pause?.();
  wipe(object);
  dropUnreadable(object);
  await setManagedFields(object, undefined, track);
  await pause?.();
}

/** Changes what the object could not be stored with; false = there is nothing to change. */
function amend(
  scope: StoreScope,
  object: KubeObject,
  {
    call,
    error,
    generated,
  }: { readonly call: CreateCall; readonly error: unknown; readonly generated: boolean },
): boolean {
  if (generated && isStorageError(error, 'exists')) {
    generateName(scope, object);
    return true;
  }
  // Who owns which field can be done without (k8s apiserver pkg/endpoints/handlers/create.go).
  const isTooLarge = isStorageError(error, 'tooLarge') && object.metadata.managedFields;
  if (isTooLarge && call.track) {
    delete object.metadata.managedFields;
    return true;
  }
  return false;
}

/** POST: stores a new object, which it may change. Generated names are tried again when taken. */
export async function createObject(
  scope: StoreScope,
  object: KubeObject,
  call: CreateCall,
): Promise<Representation> {
  const { kind } = scope;
  object.kind = kind.kind;
  object.apiVersion = toApiVersion(kind.group, kind.version);
  checkNamespace(scope, object, call.namespace);
  const generated = !object.metadata.name && Boolean(object.metadata.generateName);
  if (generated) generateName(scope, object);
  const attributes: AdmissionAttributes = {
    operation: 'CREATE',
    kind,
    subresource: '',
    ...(object.metadata.namespace ? { namespace: object.metadata.namespace } : {}),
    name: object.metadata.name ?? '',
    object,
    dryRun: call.dryRun ?? false,
    context: call.context,
    ...(call.options === undefined ? {} : { options: call.options }),
  };
  if (!isPatch(call)) dropRepeatedOwners(object, call.context);
  await complete(scope, object, call);
  await admitted(scope, object, attributes);
  dropRepeatedOwners(object, call.context, true);
  for (let left = ATTEMPTS; ; left--) {
    try {
      return await attempt(scope, object, call, attributes);
    } catch (error) {
      const mayTryAgain = left > 1 && amend(scope, object, { call, error, generated });
      if (!mayTryAgain) throw toStatusError(error, scope.resource, object.metadata.name);
    }
  }
}
