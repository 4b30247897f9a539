import type { KubeObject } from '@orrery/apimachinery';
import {
  FieldPath,
  OBJECT_MODIFIED,
  StatusError,
  invalid,
  newBadRequest,
  newConflict,
  newInvalid,
} from '@orrery/apimachinery';
import type { KindDescriptor } from '@orrery/api';
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

/** Refuses an object that means another state, or another object of this name, than is stored. Throws 409, 422, 500. */
export function checkVersions(scope: StoreScope, object: KubeObject, old: KubeObject): void {
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
export function keepServerFields(object: KubeObject, old: KubeObject): void {
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
