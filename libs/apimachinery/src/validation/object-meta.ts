import { MAX_FINDINGS, forbidden, invalid, required, tooLong } from '../field-error.js';
import type { FieldError, FieldPath } from '../field-error.js';
import { isReset } from '../managed-fields/managers.js';
import { parseApiVersion } from '../object.js';
import type { ManagedFieldsEntry, ObjectMeta, OwnerReference } from '../object.js';
import { byteLength } from './format-error.js';
import { isDns1123Label, isLabelValue, isPathSegmentName, isQualifiedName } from './names.js';
import type { NameValidator } from './names.js';

const MAX_ANNOTATIONS_BYTES = 256 * 1024;
const STANDARD_FINALIZERS = ['kubernetes', 'orphan', 'foregroundDeletion'];

export interface ObjectMetaRules {
  readonly namespaced: boolean;
  readonly nameValidator: NameValidator;
}

const findings = (messages: readonly string[], path: FieldPath, value: unknown): FieldError[] =>
  messages.map((message) => invalid(path, value, message));

/** metadata of a new object (k8s apimachinery/pkg/api/validation/objectmeta.go:ValidateObjectMeta). */
export function validateObjectMeta(
  meta: ObjectMeta,
  rules: ObjectMetaRules,
  path: FieldPath,
): FieldError[] {
  return [
    ...validateName(meta, rules.nameValidator, path),
    ...validateNamespace(meta, rules.namespaced, path),
    ...((meta.generation ?? 0) < 0
      ? [invalid(path.child('generation'), meta.generation, 'must be greater than or equal to 0')]
      : []),
    ...validateSharedMeta(meta, path),
    ...validateFinalizers(meta.finalizers, path.child('finalizers')),
  ];
}

function validateName(meta: ObjectMeta, check: NameValidator, path: FieldPath): FieldError[] {
  const { name, generateName } = meta;
  return [
    ...(generateName
      ? findings(check(generateName, true), path.child('generateName'), generateName)
      : []),
    ...(name
      ? findings(check(name, false), path.child('name'), name)
      : [required(path.child('name'), 'name or generateName is required')]),
  ];
}

function validateNamespace(meta: ObjectMeta, namespaced: boolean, path: FieldPath): FieldError[] {
  const at = path.child('namespace');
  if (!namespaced) return meta.namespace ? [forbidden(at, 'not allowed on this type')] : [];
  if (!meta.namespace) return [required(at)];
  return findings(isDns1123Label(meta.namespace), at, meta.namespace);
}

/** What holds on create and on every update. */
function validateSharedMeta(meta: ObjectMeta, path: FieldPath): FieldError[] {
  return [
    ...validateLabels(meta.labels, path.child('labels')),
    ...validateAnnotations(meta.annotations, path.child('annotations')),
    ...validateOwnerReferences(meta.ownerReferences, path.child('ownerReferences')),
    ...validateManagedFields(meta.managedFields, path.child('managedFields')),
  ];
}

/** Keys and values of a label map, also of pod templates and selectors. */
export function validateLabels(
  labels: Readonly<Record<string, string>> | undefined,
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  const all = labels ?? {};
  for (const key of Object.keys(all).sort()) {
    // Decoding lets nulls through.
    const value = String(all[key] ?? '');
    for (const message of isQualifiedName(key)) errors.push(invalid(path, key, message));
    for (const message of isLabelValue(value)) errors.push(invalid(path, value, message));
    if (errors.length > MAX_FINDINGS) break;
  }
  return errors;
}

export function validateAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  path: FieldPath,
): FieldError[] {
  const entries = Object.entries(annotations ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const size = entries.reduce(
    (sum, [k, v]) => sum + byteLength(k) + byteLength(String(v ?? '')),
    0,
  );
  return [
    ...entries.flatMap(([key]) => findings(isQualifiedName(key.toLowerCase()), path, key)),
    ...(size > MAX_ANNOTATIONS_BYTES ? [tooLong(path, MAX_ANNOTATIONS_BYTES)] : []),
  ];
}

function validateOwnerReference(owner: OwnerReference, path: FieldPath): FieldError[] {
  const parsed = parseApiVersion(owner.apiVersion ?? '');
  // Two slashes are no group and version at all.
  const { group, version } = parsed.version.includes('/') ? { group: '', version: '' } : parsed;
  const errors: FieldError[] = [];
  if (version === '') {
    errors.push(
      invalid(path.child('apiVersion'), owner.apiVersion ?? '', 'version must not be empty'),
    );
  }
  for (const field of ['kind', 'name', 'uid'] as const) {
    if (!owner[field])
      errors.push(invalid(path.child(field), owner[field] ?? '', 'must not be empty'));
  }
  if (group === '' && version === 'v1' && owner.kind === 'Event') {
    errors.push(invalid(path, owner, '/v1, Kind=Event is disallowed from being an owner'));
  }
  return errors;
}

/** Each finding shows all references: n of them would take n times n. */
const mostControllerFindings = (owners: readonly OwnerReference[]): number =>
  owners.length > 100 ? 2 : 10;

export function validateOwnerReferences(
  owners: readonly OwnerReference[] | undefined,
  path: FieldPath,
): FieldError[] {
  const errors = (owners ?? []).flatMap((owner) => validateOwnerReference(owner, path));
  const [first, ...others] = (owners ?? []).filter((owner) => owner.controller === true);
  for (const other of others.slice(0, mostControllerFindings(owners ?? []))) {
    const pair = `${first?.kind}/${first?.name} and ${other.kind}/${other.name}`;
    errors.push(
      invalid(
        path,
        owners,
        `Only one reference can have Controller set to true. Found "true" in references for ${pair}`,
      ),
    );
  }
  return errors;
}

export function validateFinalizers(
  finalizers: readonly string[] | undefined,
  path: FieldPath,
): FieldError[] {
  const list = finalizers ?? [];
  const errors: FieldError[] = [];
  for (const name of list) {
    errors.push(...findings(isQualifiedName(name), path, name));
    if (errors.length > MAX_FINDINGS) break;
  }
  if (list.includes('orphan') && list.includes('foregroundDeletion')) {
    errors.push(invalid(path, list, 'finalizer orphan and foregroundDeletion cannot be both set'));
  }
  return errors;
}

/** What holds of finalizers of built-in kinds besides (k8s pkg/apis/core/validation:validateKubeFinalizerName). */
export function validateKubeFinalizers(
  finalizers: readonly string[] | undefined,
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  (finalizers ?? []).forEach((name, i) => {
    if (name.includes('/') || STANDARD_FINALIZERS.includes(name)) return;
    const text = 'name is neither a standard finalizer name nor is it fully qualified';
    errors.push(invalid(path.index(i), name, text));
  });
  return errors;
}

function validateManagedFields(
  entries: readonly ManagedFieldsEntry[] | undefined,
  path: FieldPath,
): FieldError[] {
  if (isReset(entries)) return [];
  return (entries ?? []).flatMap((entry, i) => {
    const at = path.index(i);
    const errors: FieldError[] = [];
    if (entry.operation !== 'Apply' && entry.operation !== 'Update') {
      errors.push(
        invalid(at.child('operation'), entry.operation ?? '', 'must be `Apply` or `Update`'),
      );
    }
    if (entry.fieldsType && entry.fieldsType !== 'FieldsV1') {
      errors.push(invalid(at.child('fieldsType'), entry.fieldsType, 'must be `FieldsV1`'));
    }
    errors.push(...validateFieldManager(entry.manager ?? '', at.child('manager')));
    if (byteLength(entry.subresource ?? '') > 256)
      errors.push(tooLong(at.child('subresource'), 256));
    return errors;
  });
}

/** The fieldManager parameter of writes and the managers of managedFields. */
export function validateFieldManager(manager: string, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (byteLength(manager) > 128) errors.push(tooLong(path, 128));
  for (const { 0: character, index } of manager.matchAll(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu)) {
    const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    const at = byteLength(manager.slice(0, index));
    errors.push(invalid(path, manager, `invalid character U+${code} (at position ${at})`));
  }
  return errors;
}

const IMMUTABLE = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const;

/**
 * What holds of every update, whatever the kind checks besides
 * (objectmeta.go:ValidateObjectMetaAccessorUpdate): upstream tells it twice where the kind does as well.
 */
export function validateCommonUpdate(
  meta: ObjectMeta,
  old: ObjectMeta,
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  if (old.deletionTimestamp) {
    errors.push(
      ...validateNoNewFinalizers(meta.finalizers, old.finalizers, path.child('finalizers')),
    );
  }
  if (!meta.resourceVersion) {
    errors.push(invalid(path.child('resourceVersion'), '', 'must be specified for an update'));
  }
  if ((meta.generation ?? 0) < (old.generation ?? 0)) {
    errors.push(invalid(path.child('generation'), meta.generation ?? 0, 'must not be decremented'));
  }
  for (const field of IMMUTABLE) {
    if ((meta[field] ?? '') !== (old[field] ?? '')) {
      errors.push(invalid(path.child(field), meta[field], 'field is immutable'));
    }
  }
  errors.push(...validateSharedMeta(meta, path));
  return errors;
}

/** metadata of an update (objectmeta.go:ValidateObjectMetaUpdate). */
export function validateObjectMetaUpdate(
  meta: ObjectMeta,
  old: ObjectMeta,
  path: FieldPath,
): FieldError[] {
  const { generateName } = meta;
  const ofPrefix = generateName
    ? findings(isPathSegmentName(generateName, true), path.child('generateName'), generateName)
    : [];
  return [
    ...validateCommonUpdate(meta, old, path),
    ...ofPrefix,
    ...validateFinalizers(meta.finalizers, path.child('finalizers')),
  ];
}

function validateNoNewFinalizers(
  now: readonly string[] | undefined,
  old: readonly string[] | undefined,
  path: FieldPath,
): FieldError[] {
  const known = new Set(old);
  const added = (now ?? []).filter((name) => !known.has(name)).sort();
  if (added.length === 0) return [];
  const shown = `[]string{${added.map((name) => JSON.stringify(name)).join(', ')}}`;
  return [
    forbidden(
      path,
      `no new finalizers can be added if the object is being deleted, found new finalizers ${shown}`,
    ),
  ];
}
