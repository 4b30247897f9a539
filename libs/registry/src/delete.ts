import type { KindDescriptor } from '@orrery/api';
import type { KubeObject, Status, StatusDetails } from '@orrery/apimachinery';
import {
  FieldPath,
  invalid,
  newConflict,
  newInvalid,
  newNotFound,
  notSupported,
} from '@orrery/apimachinery';
import { toTime } from '@orrery/component';
import { isStorageError } from '@orrery/storage';
import type { Entry, WriteOptions } from '@orrery/storage';
import type { AdmissionAttributes } from './admission.js';
import { fenced } from './fenced.js';
import { cloneJson } from './json.js';
import type { Representation } from './representation.js';
import { represent, representationOf, toStorable } from './representation.js';
import type { RequestContext } from './request-context.js';
import { toStatusError } from './storage-status.js';
import type { StoreScope } from './store-deps.js';
import { keyOfObject } from './store-deps.js';
import { causeOf } from './write-cause.js';

/** meta/v1 DeleteOptions, decoded. */
export interface DeleteOptions {
  gracePeriodSeconds?: number;
  orphanDependents?: boolean;
  propagationPolicy?: string;
  preconditions?: { uid?: string; resourceVersion?: string };
  dryRun?: string[];
}

export interface DeleteCall {
  readonly context: RequestContext;
  readonly namespace?: string;
  readonly name: string;
  readonly options: DeleteOptions;
  readonly dryRun?: boolean;
  /** The caller has asked the admission chain itself (an eviction). */
  readonly admitted?: boolean;
}

export interface DeleteResult {
  /** The object as it was, or as it now waits for its finalizers or grace period. */
  readonly representation: Representation;
  readonly deleted: boolean;
}

const ORPHAN = 'orphan';
const FOREGROUND = 'foregroundDeletion';
const POLICIES = ['Foreground', 'Background', 'Orphan'] as const;
const ATTEMPTS = 16;

/** k8s apimachinery pkg/apis/meta/v1/validation:ValidateDeleteOptions. */
export function validateDeleteOptions(options: DeleteOptions): void {
  const path = FieldPath.of('propagationPolicy');
  const kind = { group: 'meta.k8s.io', kind: 'DeleteOptions' };
  if (options.orphanDependents !== undefined && options.propagationPolicy !== undefined) {
    throw newInvalid(kind, '', [
      invalid(
        path,
        options.propagationPolicy,
        'orphanDependents and deletionPropagation cannot be both set',
      ),
    ]);
  }
  const policy = options.propagationPolicy;
  if (policy !== undefined && !POLICIES.some((known) => known === policy))
    throw newInvalid(kind, '', [notSupported(path, policy, [...POLICIES, 'nil'], 'as given')]);
}

/** The status that a completed deletion answers with. */
export function deletedStatus(scope: StoreScope, object: KubeObject): Status {
  const details: StatusDetails = {
    name: object.metadata.name ?? '',
    ...(scope.resource.group ? { group: scope.resource.group } : {}),
    kind: scope.resource.resource,
    uid: object.metadata.uid ?? '',
  };
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}

function checkPreconditions(scope: StoreScope, object: KubeObject, options: DeleteOptions): void {
  const { uid, resourceVersion } = options.preconditions ?? {};
  const { metadata } = object;
  // Upstream names the kind, not the resource, here (k8s apiserver pkg/registry/rest/delete.go:BeforeDelete).
  const resource = { group: scope.kind.group, resource: scope.kind.kind };
  if (uid !== undefined && uid !== metadata.uid) {
    throw newConflict(
      resource,
      metadata.name ?? '',
      `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    );
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    throw newConflict(
      resource,
      metadata.name ?? '',
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    );
  }
}

/**
 * The garbage collector's finalizers that the options ask for, in place of those that are there, or the kind where nobody has
 * said anything (k8s apiserver pkg/registry/generic/registry/store.go:shouldOrphanDependents).
 */
function finalizersFor(
  { garbage }: Pick<KindDescriptor, 'garbage'>,
  object: KubeObject,
  options: DeleteOptions,
): string[] {
  const present = object.metadata.finalizers ?? [];
  const others = present.filter((name) => name !== ORPHAN && name !== FOREGROUND);
  const { propagationPolicy: policy, orphanDependents } = options;
  if (garbage?.byDefault === 'Unsupported') return others;
  if (policy === 'Orphan' || orphanDependents === true) return [...others, ORPHAN];
  if (policy === 'Foreground') return [...others, FOREGROUND];
  if (policy === 'Background' || orphanDependents === false) return others;
  if (garbage?.byDefault === 'Orphan' && others.length === present.length)
    return [...present, ORPHAN];
  return [...present];
}

/** Seconds that the object may still live; undefined = its deletion has begun and this request changes nothing. */
function graceFor(
  scope: StoreScope,
  object: KubeObject,
  options: DeleteOptions,
): number | undefined {
  const asked = options.gracePeriodSeconds;
  const own = scope.kind.defaultGracePeriodSeconds?.(object) ?? 0;
  const wanted = own === 0 ? 0 : Math.max(asked ?? own, asked === undefined || asked >= 0 ? 0 : 1);
  const { deletionTimestamp, deletionGracePeriodSeconds: running } = object.metadata;
  if (!deletionTimestamp) return wanted;
  if (wanted === 0 && (asked === 0 || own === 0)) return 0;
  if (running !== undefined && asked !== undefined && wanted < running) return wanted;
  return undefined;
}

/** The object in deletion: a pod with its grace period, anything with what its finalizers wait for. */
function markDeleting(
  scope: StoreScope,
  object: KubeObject,
  grace: number,
  finalizers: string[],
): KubeObject {
  const marked = cloneJson(object);
  const { metadata } = marked;
  const now = scope.deps.clock.now();
  if (!metadata.deletionTimestamp || (metadata.deletionGracePeriodSeconds ?? 0) > grace) {
    const begun = metadata.deletionTimestamp
      ? Date.parse(metadata.deletionTimestamp) - (metadata.deletionGracePeriodSeconds ?? 0) * 1000
      : now;
    metadata.deletionTimestamp = toTime(Math.max(begun + grace * 1000, grace === 0 ? now : 0));
    if (!scope.hooks.hasOwnDelete) {
      metadata.deletionGracePeriodSeconds = grace;
      if (metadata.generation) metadata.generation += 1;
    }
  }
  if (finalizers.length > 0) metadata.finalizers = finalizers;
  else delete metadata.finalizers;
  scope.hooks.markDeleting?.(marked);
  return marked;
}

async function admit(scope: StoreScope, object: KubeObject, call: DeleteCall): Promise<void> {
  const attributes: AdmissionAttributes = {
    operation: 'DELETE',
    kind: scope.kind,
    subresource: '',
    ...(call.namespace ? { namespace: call.namespace } : {}),
    name: call.name,
    oldObject: object,
    options: call.options,
    dryRun: call.dryRun ?? false,
    context: call.context,
  };
  await scope.deps.admission.admit(attributes);
  await scope.deps.admission.validate(attributes);
}

const writeOptionsOf = (
  { kind }: StoreScope,
  object: KubeObject,
  { context }: DeleteCall,
): WriteOptions => ({
  signal: context.signal,
  cause: causeOf(context, kind, object),
});

/** Stores the object in deletion; it goes when its grace period and finalizers are over. */
async function hold(
  scope: StoreScope,
  current: Entry,
  marked: KubeObject,
  call: DeleteCall,
): Promise<DeleteResult> {
  if (call.dryRun) return { representation: represent(marked), deleted: false };
  const { value } = toStorable(scope.kind, marked);
  const entry = value.equals(current.value)
    ? current
    : await fenced(scope, call.context, (guarded) =>
        scope.deps.storage.update(current.key, current.revision, value, {
          ...writeOptionsOf(scope, marked, call),
          ...guarded,
        }),
      );
  return { representation: representationOf(scope.kind, entry), deleted: false };
}

/** What dies gracefully is marked even where its grace is none (k8s apiserver pkg/registry/rest/delete.go:BeforeDelete). */
function lastState(scope: StoreScope, object: KubeObject): KubeObject {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = object.metadata;
  const isMarked = deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0;
  if (!scope.kind.defaultGracePeriodSeconds || isMarked) return object;
  return markDeleting(scope, object, 0, finalizers);
}

/** Stores the mark first, so that watchers see it before the end (k8s …/generic/registry/store.go:updateForGracefulDeletionAndFinalizers). */
async function marked(
  scope: StoreScope,
  current: Entry,
  object: KubeObject,
  call: DeleteCall,
): Promise<Entry> {
  const last = lastState(scope, object);
  if (last === object) return current;
  return fenced(scope, call.context, (guarded) =>
    scope.deps.storage.update(current.key, current.revision, toStorable(scope.kind, last).value, {
      ...writeOptionsOf(scope, last, call),
      ...guarded,
    }),
  );
}

async function attempt(scope: StoreScope, current: Entry, call: DeleteCall): Promise<DeleteResult> {
  const { kind, deps, hooks } = scope;
  const { object } = representationOf(kind, current);
  checkPreconditions(scope, object, call.options);
  if (!call.admitted) await admit(scope, object, call);
  const grace = graceFor(scope, object, call.options);
  const finalizers = finalizersFor(kind, object, call.options);
  const isHeld = finalizers.length > 0 || (hooks.pendingFinalizers?.(object) ?? []).length > 0;
  if (grace === undefined || grace > 0 || isHeld) {
    const { finalizers: present = [], deletionGracePeriodSeconds: running = 0 } = object.metadata;
    if (grace === undefined && finalizers.length === present.length)
      return { representation: representationOf(kind, current), deleted: false };
    return hold(scope, current, markDeleting(scope, object, grace ?? running, finalizers), call);
  }
  if (call.dryRun) return { representation: represent(lastState(scope, object)), deleted: true };
  const { key, revision } = await marked(scope, current, object, call);
  const gone = await fenced(scope, call.context, (guarded) =>
    deps.storage.delete(key, revision, {
      ...writeOptionsOf(scope, object, call),
      ...guarded,
    }),
  );
  await hooks.afterDelete?.(object, { context: call.context, dryRun: false });
  return { representation: representationOf(kind, gone), deleted: true };
}

/** DELETE of one object: begins or completes its deletion (k8s apiserver pkg/registry/rest/delete.go:BeforeDelete). */
export async function deleteObject(scope: StoreScope, call: DeleteCall): Promise<DeleteResult> {
  validateDeleteOptions(call.options);
  const key = keyOfObject(scope, call.namespace, call.name);
  try {
    for (let left = ATTEMPTS; ; left--) {
      const current = await scope.deps.storage.get(key, {
        freshness: { kind: 'consistent' },
        signal: call.context.signal,
      });
      if (!current) throw newNotFound(scope.resource, call.name);
      try {
        return await attempt(scope, current, call);
      } catch (error) {
        if (!isStorageError(error, 'conflict') || left <= 1) throw error;
      }
    }
  } catch (error) {
    throw toStatusError(error, scope.resource, call.name);
  }
}
