import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, forbidden, invalid, required } from '@orrery/apimachinery';
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { oneOf } from '../../../meta/fields.js';
import { validateLabelSelector } from '../../../meta/label-selector.js';
import { eachOf, isDeepEqual, list } from '../../../meta/list.js';
import { check, dnsSubdomain } from '../../../meta/names.js';
import { quantityValue, validateQuantity } from '../../../meta/quantity.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, nameColumn, table, wide } from '../../../table/columns.js';
import { ACCESS_MODES, accessModesText } from '../persistentvolume/persistentvolume.kind.js';

const SPEC = FieldPath.of('spec');
const STORAGE = SPEC.child('resources').key('storage');

/** k8s pkg/apis/core/validation/validation.go:ValidatePersistentVolumeClaimSpec. */
function validate({ spec }: PersistentVolumeClaim): FieldError[] {
  const modes = SPEC.child('accessModes');
  const storage = spec?.resources?.requests?.['storage'];
  return [
    ...(list(spec?.accessModes).length === 0
      ? [required(modes, 'at least 1 access mode is required')]
      : []),
    ...validateLabelSelector(spec?.selector, SPEC.child('selector')),
    ...eachOf(spec?.accessModes, (mode) => oneOf(mode, ACCESS_MODES, modes)),
    ...(storage === undefined ? [required(STORAGE)] : validateQuantity(storage, STORAGE)),
    ...(storage !== undefined && quantityValue(storage) === 0
      ? [invalid(STORAGE, storage, 'must be greater than zero')]
      : []),
    ...(spec?.storageClassName
      ? check(dnsSubdomain, spec.storageClassName, SPEC.child('storageClassName'))
      : []),
    ...oneOf(spec?.volumeMode, ['Block', 'Filesystem'], SPEC.child('volumeMode'), false),
  ];
}

/** What may change: the request may grow once bound; an empty volumeName or class may be filled in. */
function withoutMutable(
  spec: PersistentVolumeClaimSpec,
  old: PersistentVolumeClaimSpec,
  isBound: boolean,
): PersistentVolumeClaimSpec {
  const result = structuredClone(spec);
  if (!old.volumeName) delete result.volumeName;
  if ((old.storageClassName ?? undefined) === undefined) delete result.storageClassName;
  delete result.volumeAttributesClassName;
  if (old.volumeAttributesClassName !== undefined) {
    result.volumeAttributesClassName = old.volumeAttributesClassName;
  }
  if (isBound && old.resources !== undefined) result.resources = structuredClone(old.resources);
  return result;
}

function validateUpdate(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  if (!claim.spec || !old.spec) return [];
  const isBound = old.status?.phase === 'Bound';
  const now = quantityValue(claim.spec.resources?.requests?.['storage']);
  const before = quantityValue(old.spec.resources?.requests?.['storage']);
  const held = quantityValue(old.status?.capacity?.['storage']);
  const rest = withoutMutable(claim.spec, old.spec, isBound);
  const stored = structuredClone(old.spec);
  if (!stored.volumeName) delete stored.volumeName;
  return [
    ...(isDeepEqual(rest, stored)
      ? []
      : [
          forbidden(
            SPEC,
            'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
          ),
        ]),
    ...(isBound && now < before && !(now > held)
      ? [
          forbidden(
            SPEC.child('resources', 'requests', 'storage'),
            'field can not be less than status.capacity',
          ),
        ]
      : []),
  ];
}

function statusText({ metadata, status }: PersistentVolumeClaim): string {
  return metadata.deletionTimestamp ? 'Terminating' : (status?.phase ?? '');
}

export const PersistentVolumeClaimKind = defineKind<PersistentVolumeClaim>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
  shortNames: ['pvc'],
  scope: 'Namespaced',
  setDefaults({ spec, status }) {
    if (status) status.phase ||= 'Pending';
    if (!spec) return;
    spec.volumeMode ??= 'Filesystem';
    spec.resources ??= {};
  },
  strategy: strategyOf<PersistentVolumeClaim>({
    namespaced: true,
    ownsStatus: true,
    initialStatus: () => ({ phase: 'Pending' }),
    check: validate,
    checkUpdate: validateUpdate,
  }),
  status: statusStrategyOf<PersistentVolumeClaim>(),
  columns: table<PersistentVolumeClaim>([
    nameColumn,
    column('Status', statusText),
    column('Volume', ({ spec }) => spec?.volumeName ?? ''),
    column('Capacity', ({ spec, status }) =>
      spec?.volumeName ? (status?.capacity?.['storage'] ?? '') : '',
    ),
    column('Access Modes', ({ spec, status }) =>
      spec?.volumeName ? accessModesText(status?.accessModes) : '',
    ),
    column('StorageClass', ({ spec }) => spec?.storageClassName ?? ''),
    column('VolumeAttributesClass', ({ spec }) => spec?.volumeAttributesClassName ?? '<unset>'),
    ageColumn,
    wide('VolumeMode', ({ spec }) => spec?.volumeMode ?? '<unset>'),
  ]),
  hasGeneration: false,
});
