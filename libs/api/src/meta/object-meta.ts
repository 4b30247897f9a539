import type { FieldError, KubeObject, ObjectMeta } from '@orrery/apimachinery';
import { FieldPath, forbidden, invalid, required } from '@orrery/apimachinery';
import { eachOf, entries, isDeepEqual, list } from './list.js';
import type { NameRule } from './names.js';
import { qualifiedName } from './names.js';
import { validateLabels } from './label-selector.js';

const METADATA = FieldPath.of('metadata');
const TOTAL_ANNOTATION_LIMIT = 256 * 1024;

export const FIELD_IMMUTABLE = 'field is immutable';

/** Refuses a change of a field that upstream makes immutable. */
export function immutable(value: unknown, old: unknown, path: FieldPath): FieldError[] {
  return isDeepEqual(value, old) ? [] : [invalid(path, value, FIELD_IMMUTABLE)];
}

export function validateAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  path: FieldPath,
): FieldError[] {
  const total = entries(annotations).reduce(
    (size, [key, value]) => size + key.length + String(value ?? '').length,
    0,
  );
  return [
    ...entries(annotations).flatMap(([key]) =>
      qualifiedName(key.toLowerCase()).map((message) => invalid(path, key, message)),
    ),
    ...(total > TOTAL_ANNOTATION_LIMIT
      ? [
          {
            type: 'FieldValueTooLong' as const,
            field: path.toString(),
            message: `Too long: may not be more than ${TOTAL_ANNOTATION_LIMIT} bytes`,
          },
        ]
      : []),
  ];
}

function validateOwners(meta: ObjectMeta): FieldError[] {
  const path = METADATA.child('ownerReferences');
  const controllers = list(meta.ownerReferences).filter((owner) => owner.controller === true);
  return [
    ...eachOf(meta.ownerReferences, (owner, i) => {
      const at = path.index(i);
      return [
        ...(owner.apiVersion
          ? []
          : [invalid(at.child('apiVersion'), '', 'version must not be empty')]),
        ...(owner.kind ? [] : [invalid(at.child('kind'), '', 'must not be empty')]),
        ...(owner.name ? [] : [invalid(at.child('name'), '', 'must not be empty')]),
        ...(owner.uid ? [] : [invalid(at.child('uid'), '', 'must not be empty')]),
      ];
    }),
    ...(controllers.length > 1
      ? [
          invalid(
            path,
            list(meta.ownerReferences),
            `Only one reference can have Controller set to true. Found "true" in references for ${controllers[0]?.kind}/${controllers[0]?.name} and ${controllers[1]?.kind}/${controllers[1]?.name}`,
          ),
        ]
      : []),
  ];
}

function validateFinalizers(meta: ObjectMeta): FieldError[] {
  const path = METADATA.child('finalizers');
  return [
    ...eachOf(meta.finalizers, (name) =>
      qualifiedName(String(name)).map((message) => invalid(path, name, message)),
    ),
    ...(list(meta.finalizers).includes('orphan') &&
    list(meta.finalizers).includes('foregroundDeletion')
      ? [
          invalid(
            path,
            list(meta.finalizers),
            'finalizer orphan and foregroundDeletion cannot be both set',
          ),
        ]
      : []),
  ];
}

function validateMetaName(meta: ObjectMeta, name: NameRule): FieldError[] {
  const findings: FieldError[] = [];
  if (meta.generateName) {
    // A prefix may end in '-', which no whole name may (upstream's maskTrailingDash).
    const prefix = String(meta.generateName).replace(/-$/, 'a');
    findings.push(
      ...name(prefix).map((m) => invalid(METADATA.child('generateName'), meta.generateName, m)),
    );
  }
  if (!meta.name) {
    return [...findings, required(METADATA.child('name'), 'name or generateName is required')];
  }
  return [
    ...findings,
    ...name(String(meta.name)).map((m) => invalid(METADATA.child('name'), meta.name, m)),
  ];
}

/** k8s apimachinery pkg/api/validation/objectmeta.go:ValidateObjectMeta. */
export function validateMeta(
  object: KubeObject,
  namespaced: boolean,
  name: NameRule,
): FieldError[] {
  const meta = object.metadata ?? {};
  return [
    ...validateMetaName(meta, name),
    ...(namespaced && !meta.namespace ? [required(METADATA.child('namespace'))] : []),
    ...(!namespaced && meta.namespace
      ? [forbidden(METADATA.child('namespace'), 'not allowed on this type')]
      : []),
    ...validateLabels(meta.labels, METADATA.child('labels')),
    ...validateAnnotations(meta.annotations, METADATA.child('annotations')),
    ...validateOwners(meta),
    ...validateFinalizers(meta),
  ];
}

/** k8s apimachinery pkg/api/validation/objectmeta.go:ValidateObjectMetaUpdate. */
export function validateMetaUpdate(object: KubeObject, old: KubeObject): FieldError[] {
  const meta = object.metadata ?? {};
  const before = old.metadata ?? {};
  const added = list(meta.finalizers).filter((name) => !list(before.finalizers).includes(name));
  return [
    ...(before.deletionTimestamp && added.length > 0
      ? [
          forbidden(
            METADATA.child('finalizers'),
            `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((n) => JSON.stringify(n)).join(', ')}}`,
          ),
        ]
      : []),
    ...(['name', 'namespace', 'uid', 'creationTimestamp'] as const).flatMap((field) =>
      immutable(meta[field], before[field], METADATA.child(field)),
    ),
    ...(['deletionTimestamp', 'deletionGracePeriodSeconds'] as const).flatMap((field) =>
      immutable(meta[field], before[field], METADATA.child(field)),
    ),
    ...validateLabels(meta.labels, METADATA.child('labels')),
    ...validateAnnotations(meta.annotations, METADATA.child('annotations')),
    ...validateOwners(meta),
    ...validateFinalizers(meta),
  ];
}
