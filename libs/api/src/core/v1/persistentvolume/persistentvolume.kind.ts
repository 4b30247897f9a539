import type { PersistentVolume, PersistentVolumeClaim } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { list } from '../../../meta/list.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, nameColumn, table, wide } from '../../../table/columns.js';
import { volumeWarnings } from './persistentvolume.warnings.js';
import { validateVolume, validateVolumeUpdate } from './persistentvolume.validation.js';

const SHORT_MODES: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class';

/** The class of a volume or claim; the annotation of old goes first. */
export const storageClassText = ({
  metadata,
  spec,
}: PersistentVolume | PersistentVolumeClaim): string =>
  metadata.annotations?.[BETA_CLASS] ?? spec?.storageClassName ?? '';

/** Access modes as kubectl prints them: `RWO,ROX`. */
export function accessModesText(modes: readonly string[] | undefined): string {
  const given = new Set(list(modes));
  return Object.entries(SHORT_MODES)
    .filter(([mode]) => given.has(mode))
    .map(([, short]) => short)
    .join(',');
}

function statusText({ metadata, status }: PersistentVolume): string {
  return metadata.deletionTimestamp ? 'Terminating' : (status?.phase ?? '');
}

const claimText = ({ spec }: PersistentVolume): string =>
  spec?.claimRef ? `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}` : '';

export const PersistentVolumeKind = defineKind<PersistentVolume>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  shortNames: ['pv'],
  scope: 'Cluster',
  setDefaults({ spec, status }) {
    if (status) status.phase ||= 'Pending';
    if (!spec) return;
    spec.persistentVolumeReclaimPolicy ||= 'Retain';
    spec.volumeMode ??= 'Filesystem';
    if (spec.hostPath) spec.hostPath.type ??= '';
  },
  strategy: strategyOf<PersistentVolume>({
    namespaced: false,
    ownsStatus: true,
    initialStatus: () => ({ phase: 'Pending' }),
    prepareForCreate(object, { now }) {
      object.status = { ...object.status, lastPhaseTransitionTime: now };
    },
    checkCreate: (volume) => validateVolume(volume),
    checkUpdate: validateVolumeUpdate,
    warnings: volumeWarnings,
  }),
  status: statusStrategyOf<PersistentVolume>(),
  columns: table<PersistentVolume>([
    nameColumn,
    column('Capacity', ({ spec }) => spec?.capacity?.['storage'] ?? '0'),
    column('Access Modes', ({ spec }) => accessModesText(spec?.accessModes)),
    column('Reclaim Policy', ({ spec }) => spec?.persistentVolumeReclaimPolicy ?? ''),
    column('Status', statusText),
    column('Claim', claimText),
    column('StorageClass', storageClassText),
    column('VolumeAttributesClass', ({ spec }) => spec?.volumeAttributesClassName ?? '<unset>'),
    column('Reason', ({ status }) => status?.reason ?? ''),
    ageColumn,
    wide('VolumeMode', ({ spec }) => spec?.volumeMode ?? '<unset>'),
  ]),
  hasGeneration: false,
});
