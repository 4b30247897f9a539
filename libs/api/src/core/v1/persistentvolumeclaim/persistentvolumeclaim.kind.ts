import { FieldPath } from '@orrery/apimachinery';
import type { PersistentVolumeClaim } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, nameColumn, table, wide } from '../../../table/columns.js';
import { accessModesText, storageClassText } from '../persistentvolume/persistentvolume.kind.js';
import { betaClassWarnings } from '../persistentvolume/persistentvolume.warnings.js';
import { claimWarnings } from '../pod-warnings/volume-warnings.js';
import { alignDataSources, dropDataSources } from './data-sources.js';
import {
  validateClaim,
  validateClaimStatus,
  validateClaimUpdate,
} from './persistentvolumeclaim.validation.js';

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
    prepareForCreate({ spec }) {
      dropDataSources(spec);
      alignDataSources(spec);
    },
    prepareForUpdate({ spec }, old) {
      dropDataSources(spec, old.spec);
      alignDataSources(spec);
    },
    checkCreate: (claim) => validateClaim(claim),
    checkUpdate: validateClaimUpdate,
    warnings: (claim) => [
      ...betaClassWarnings(claim),
      ...claimWarnings(claim.spec, FieldPath.of('spec')),
    ],
  }),
  status: statusStrategyOf<PersistentVolumeClaim>(validateClaimStatus),
  columns: table<PersistentVolumeClaim>([
    nameColumn,
    column('Status', statusText),
    column('Volume', ({ spec }) => spec?.volumeName ?? ''),
    column('Capacity', ({ spec, status }) =>
      spec?.volumeName ? (status?.capacity?.['storage'] ?? '0') : '',
    ),
    column('Access Modes', ({ spec, status }) =>
      spec?.volumeName ? accessModesText(status?.accessModes) : '',
    ),
    column('StorageClass', storageClassText),
    column('VolumeAttributesClass', ({ spec }) => spec?.volumeAttributesClassName ?? '<unset>'),
    ageColumn,
    wide('VolumeMode', ({ spec }) => spec?.volumeMode ?? '<unset>'),
  ]),
  hasGeneration: false,
});
