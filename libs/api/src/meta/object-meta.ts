import type { FieldError, KubeObject, ObjectMeta } from '@orrery/apimachinery';
import {
  FieldPath,
  invalid,
  validateKubeFinalizers,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from '@orrery/apimachinery';
import { internalForm } from './internal-form.js';
import { isDeepEqual, list } from './list.js';
import type { NameRule } from './names.js';

export { validateAnnotations } from '@orrery/apimachinery';

const METADATA = FieldPath.of('metadata');

export const FIELD_IMMUTABLE = 'field is immutable';

/** Refuses a change of a field that upstream makes immutable; `struct` is what it is in {@link internalForm}, if it is one. */
export function immutable(
  value: unknown,
  old: unknown,
  path: FieldPath,
  struct?: string,
): FieldError[] {
  if (isDeepEqual(value, old)) return [];
  const shown =
    struct && typeof value === 'object' && value !== null ? internalForm(value, struct) : value;
  return [invalid(path, shown, FIELD_IMMUTABLE)];
}

/** Without the nulls that decoding leaves in lists. */
const plainMeta = (meta: ObjectMeta | undefined): ObjectMeta => ({
  ...meta,
  ...(meta?.finalizers ? { finalizers: list(meta.finalizers).map(String) } : {}),
  ...(meta?.ownerReferences ? { ownerReferences: [...list(meta.ownerReferences)] } : {}),
  ...(meta?.managedFields ? { managedFields: [...list(meta.managedFields)] } : {}),
});

/** The API servers that upstream has built in ask less of finalizers than its core does. */
const LENIENT = /^(?:apiextensions|apiregistration)\.k8s\.io\//;

const validateCoreFinalizers = (object: KubeObject, { finalizers }: ObjectMeta): FieldError[] =>
  LENIENT.test(object.apiVersion ?? '')
    ? []
    : validateKubeFinalizers(finalizers, METADATA.child('finalizers'));

/** k8s apimachinery pkg/api/validation/objectmeta.go:ValidateObjectMeta, and core's of finalizers. */
export function validateMeta(
  object: KubeObject,
  namespaced: boolean,
  name: NameRule,
): FieldError[] {
  const meta = plainMeta(object.metadata);
  // A prefix may end in '-', which no whole name may (upstream's maskTrailingDash).
  const nameValidator = (value: string, isPrefix?: boolean): string[] => [
    ...name(isPrefix ? value.replace(/-$/, 'a') : value),
  ];
  return [
    ...validateObjectMeta(meta, { namespaced, nameValidator }, METADATA),
    ...validateCoreFinalizers(object, meta),
  ];
}

/** k8s apimachinery pkg/api/validation/objectmeta.go:ValidateObjectMetaUpdate, and core's of finalizers. */
export function validateMetaUpdate(object: KubeObject, old: KubeObject): FieldError[] {
  const before = plainMeta(old.metadata);
  const meta = plainMeta(object.metadata);
  // The store has seen to the version, which kinds may let be absent.
  const versioned = { ...meta, resourceVersion: meta.resourceVersion || 'any' };
  return [
    ...validateObjectMetaUpdate(versioned, before, METADATA),
    ...validateCoreFinalizers(object, meta),
  ];
}
