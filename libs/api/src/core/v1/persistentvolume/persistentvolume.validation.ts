import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, forbidden, invalid } from '@orrery/apimachinery';
import type { CSIPersistentVolumeSource, PersistentVolume } from '../../../types.js';
import { when } from '../../../meta/findings.js';
import { jsonDiff } from '../../../meta/json-diff.js';
import { isDeepEqual } from '../../../meta/list.js';
import { FIELD_IMMUTABLE, immutable } from '../../../meta/object-meta.js';
import { sourcesOf, validateVolumeSpec } from './volume-spec.validation.js';

const SPEC = FieldPath.of('spec');

export const validateVolume = (volume: PersistentVolume): FieldError[] =>
  validateVolumeSpec(volume.spec ?? {}, SPEC);

/** Sources compare without the secret for expansion where it is filled in for the first time. */
function comparable(object: PersistentVolume, old: PersistentVolume): Record<string, unknown> {
  const sources = structuredClone(sourcesOf(object.spec));
  const csi = sources['csi'] as CSIPersistentVolumeSource | undefined;
  if (csi && old.spec?.csi && !old.spec.csi.controllerExpandSecretRef) {
    delete csi.controllerExpandSecretRef;
  }
  return sources;
}

/** k8s pkg/apis/core/validation/validation.go:ValidatePersistentVolumeUpdate. */
export function validateVolumeUpdate(
  object: PersistentVolume,
  old: PersistentVolume,
): FieldError[] {
  const now = comparable(object, old);
  const before = sourcesOf(old.spec);
  const text = `spec.persistentvolumesource is immutable after creation\n${jsonDiff(before, now)}`;
  const affinity = object.spec?.nodeAffinity;
  const isMoved =
    old.spec?.nodeAffinity !== undefined && !isDeepEqual(affinity, old.spec.nodeAffinity);
  const className = SPEC.child('volumeAttributesClassName');
  const loses =
    Boolean(old.spec?.volumeAttributesClassName) && !object.spec?.volumeAttributesClassName;
  return [
    ...when(!isDeepEqual(now, before), forbidden(SPEC.child('persistentvolumesource'), text)),
    ...immutable(object.spec?.volumeMode, old.spec?.volumeMode, FieldPath.of('volumeMode')),
    ...when(
      isMoved,
      invalid(
        FieldPath.of('nodeAffinity'),
        affinity,
        `${FIELD_IMMUTABLE}, except for updating from beta label to GA`,
      ),
    ),
    ...when(loses, forbidden(className, 'update from non-nil value to nil is forbidden')),
  ];
}
