import type { FieldError, KubeObject } from '@orrery/apimachinery';
import {
  FieldPath,
  OBJECT_MODIFIED,
  StatusError,
  areReadable,
  invalid,
  newBadRequest,
  newConflict,
  newInvalid,
  validateCommonUpdate,
} from '@orrery/apimachinery';
import type { KindDescriptor } from '@orrery/api';
import { keyOfObject } from './store-deps.js';
import type { StoreScope } from './store-deps.js';

const UINT64 = 2n ** 64n;

/** k8s apiserver pkg/storage/api_object_versioner.go:ObjectResourceVersion, whose errors nobody makes a Status of. */
export function parseVersion(version: string): bigint {
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

/**
 * A client that sends a whole object and names a uid means that object (k8s apiserver pkg/storage/etcd3/store.go:GuaranteedUpdate
 * and errors.go:NewInvalidObjError). Throws 409.
 */
export function checkUid(
  scope: StoreScope,
  { metadata: { uid = '', name = '', namespace } }: KubeObject,
  old: KubeObject | undefined,
): void {
  const stored = old?.metadata.uid ?? '';
  if (uid === '' || uid === stored) return;
  throw newConflict(
    scope.resource,
    name,
    `StorageError: invalid object, Code: 4, Key: ${keyOfObject(scope, namespace, name)}, ResourceVersion: 0, ` +
      `AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${stored}`,
  );
}

/** What is wrong with the metadata of every kind; errors of the kind that name none of it need no second look. */
export function commonProblems(
  object: KubeObject,
  old: KubeObject,
  found: readonly FieldError[],
): FieldError[] {
  if (!found.some(({ field }) => field.startsWith('metadata'))) return [];
  const { resourceVersion = 'any', ...metadata } = object.metadata;
  return validateCommonUpdate({ ...metadata, resourceVersion }, old.metadata, METADATA);
}

/** Entries that cannot be read are passed over: those stored stay. */
export function dropUnreadable({ metadata }: KubeObject, old?: KubeObject): void {
  if (metadata.managedFields === undefined || areReadable(metadata.managedFields)) return;
  if (old?.metadata.managedFields) metadata.managedFields = old.metadata.managedFields;
  else delete metadata.managedFields;
}

const METADATA = FieldPath.of('metadata');

/** Refuses an object that means another state than is stored. Throws 409, 422, 500. */
export function checkVersions(scope: StoreScope, object: KubeObject, old: KubeObject): void {
  const name = old.metadata.name ?? '';
  const { resourceVersion } = object.metadata;
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

/** Fields that the server owns stay as stored (k8s apiserver pkg/registry/rest/update.go:BeforeUpdate). */
export function keepServerFields(object: KubeObject, old: KubeObject): void {
  const { metadata } = object;
  const before = old.metadata;
  metadata.uid ||= before.uid ?? '';
  const keep = <K extends 'creationTimestamp' | 'generation'>(key: K): void => {
    if (before[key] === undefined) delete metadata[key];
    else metadata[key] = before[key];
  };
  keep('creationTimestamp');
  keep('generation');
  // No update begins or ends a deletion: one that tries is refused with the metadata.
  if (before.deletionTimestamp !== undefined) metadata.deletionTimestamp = before.deletionTimestamp;
  if (before.deletionGracePeriodSeconds !== undefined)
    metadata.deletionGracePeriodSeconds ??= before.deletionGracePeriodSeconds;
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
  if (kind.scope === 'Namespaced' && metadata.namespace !== call.namespace) {
    throw newBadRequest(
      'the namespace of the provided object does not match the namespace sent on the request',
    );
  }
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
}
