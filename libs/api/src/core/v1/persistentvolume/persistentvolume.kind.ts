import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, forbidden, invalid, required } from '@orrery/apimachinery';
import type { PersistentVolume, PersistentVolumeSpec } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { oneOf } from '../../../meta/fields.js';
import { eachOf, entries, isDeepEqual, list } from '../../../meta/list.js';
import { check, dnsSubdomain } from '../../../meta/names.js';
import { immutable } from '../../../meta/object-meta.js';
import { validateQuantities } from '../../../meta/quantity.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { validateNodeSelector } from '../../../core/v1/pod-spec/scheduling.validation.js';
import { ageColumn, column, nameColumn, table, wide } from '../../../table/columns.js';

const SPEC = FieldPath.of('spec');

export const ACCESS_MODES = [
  'ReadOnlyMany',
  'ReadWriteMany',
  'ReadWriteOnce',
  'ReadWriteOncePod',
] as const;

const SHORT_MODES: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

/** Access modes as kubectl prints them: `RWO,ROX`. */
export function accessModesText(modes: readonly string[] | undefined): string {
  const given = new Set(list(modes));
  return Object.entries(SHORT_MODES)
    .filter(([mode]) => given.has(mode))
    .map(([, short]) => short)
    .join(',');
}

/** Every field of a spec that is not one of these names the volume's source. */
const PLAIN_FIELDS = new Set([
  'accessModes',
  'capacity',
  'claimRef',
  'mountOptions',
  'nodeAffinity',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'volumeAttributesClassName',
  'volumeMode',
]);

function sourcesOf(spec: PersistentVolumeSpec | undefined): Record<string, unknown> {
  return Object.fromEntries(
    entries(spec as unknown as Record<string, unknown>).filter(
      ([field, value]) => !PLAIN_FIELDS.has(field) && value !== undefined && value !== null,
    ),
  );
}

function validateModes(spec: PersistentVolumeSpec | undefined): FieldError[] {
  const path = SPEC.child('accessModes');
  return [
    ...(list(spec?.accessModes).length === 0 ? [required(path)] : []),
    ...eachOf(spec?.accessModes, (mode) => oneOf(mode, ACCESS_MODES, path)),
  ];
}

function validateSources(sources: readonly string[]): FieldError[] {
  if (sources.length === 0) return [required(SPEC, 'must specify a volume type')];
  return sources
    .slice(1)
    .map((field) => forbidden(SPEC.child(field), 'may not specify more than 1 volume type'));
}

function validateHostPath(spec: PersistentVolumeSpec | undefined): FieldError[] {
  if (!spec?.hostPath) return [];
  const path = SPEC.child('hostPath', 'path');
  const { path: target } = spec.hostPath;
  if (!target) return [required(path)];
  return target.split('/').includes('..') ? [invalid(path, target, "must not contain '..'")] : [];
}

/** k8s pkg/apis/core/validation/validation.go:ValidatePersistentVolumeSpec. */
function validate({ spec }: PersistentVolume): FieldError[] {
  return [
    ...validateModes(spec),
    ...(spec?.capacity?.['storage'] === undefined ? [required(SPEC.child('capacity'))] : []),
    ...validateQuantities(spec?.capacity, SPEC.child('capacity')),
    ...oneOf(
      spec?.persistentVolumeReclaimPolicy,
      ['Delete', 'Recycle', 'Retain'],
      SPEC.child('persistentVolumeReclaimPolicy'),
      false,
    ),
    ...validateNodeSelector(spec?.nodeAffinity?.required, SPEC.child('nodeAffinity', 'required')),
    ...validateSources(Object.keys(sourcesOf(spec))),
    ...(spec?.local && !spec.nodeAffinity
      ? [required(SPEC.child('nodeAffinity'), 'Local volume requires node affinity')]
      : []),
    ...validateHostPath(spec),
    ...(spec?.storageClassName
      ? check(dnsSubdomain, spec.storageClassName, SPEC.child('storageClassName'))
      : []),
  ];
}

function validateUpdate(object: PersistentVolume, old: PersistentVolume): FieldError[] {
  const same = isDeepEqual(sourcesOf(object.spec), sourcesOf(old.spec));
  return [
    ...(same
      ? []
      : [
          forbidden(
            SPEC.child('persistentvolumesource'),
            'spec.persistentvolumesource is immutable after creation',
          ),
        ]),
    ...immutable(object.spec?.volumeMode, old.spec?.volumeMode, SPEC.child('volumeMode')),
  ];
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
    check: validate,
    checkUpdate: validateUpdate,
  }),
  status: statusStrategyOf<PersistentVolume>(),
  columns: table<PersistentVolume>([
    nameColumn,
    column('Capacity', ({ spec }) => spec?.capacity?.['storage'] ?? ''),
    column('Access Modes', ({ spec }) => accessModesText(spec?.accessModes)),
    column('Reclaim Policy', ({ spec }) => spec?.persistentVolumeReclaimPolicy ?? ''),
    column('Status', statusText),
    column('Claim', claimText),
    column('StorageClass', ({ spec }) => spec?.storageClassName ?? ''),
    column('VolumeAttributesClass', ({ spec }) => spec?.volumeAttributesClassName ?? '<unset>'),
    column('Reason', ({ status }) => status?.reason ?? ''),
    ageColumn,
    wide('VolumeMode', ({ spec }) => spec?.volumeMode ?? '<unset>'),
  ]),
  hasGeneration: false,
});
