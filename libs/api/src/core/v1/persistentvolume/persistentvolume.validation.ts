import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { FieldPath, forbidden, invalid, notSupported, required } from '@orrery/apimachinery';
import type {
  CSIPersistentVolumeSource,
  NodeSelector,
  PersistentVolume,
  PersistentVolumeSpec,
  SecretReference,
} from '../../../types.js';
import { oneOf, present, supported } from '../../../meta/fields.js';
import { given, when } from '../../../meta/findings.js';
import { jsonDiff } from '../../../meta/json-diff.js';
import { entries, isDeepEqual, list, own } from '../../../meta/list.js';
import { check, dnsLabel, dnsSubdomain } from '../../../meta/names.js';
import { FIELD_IMMUTABLE, immutable } from '../../../meta/object-meta.js';
import { canonicalAmount, compareAmounts, quantityValue } from '../../../meta/quantity.js';
import { validateCsiDriverName } from '../../../storage/v1/volumeattributesclass/csi-driver-name.js';
import { validateAccessModes } from '../persistentvolumeclaim/claim-spec.validation.js';
import { validateNodeSelector } from '../pod-spec/scheduling.validation.js';
import { validateHostPath } from '../pod-spec/volume.validation.js';
import { validateDiskSource } from '../volume-source/disk-sources.validation.js';
import { noBacksteps } from '../volume-source/file-path.js';

type HostPath = NonNullable<PersistentVolumeSpec['hostPath']>;

const SPEC = FieldPath.of('spec');

/** Upstream's order: what comes first is looked at, the others are refused; a flexVolume counts for nobody. */
const SOURCES = [
  'hostPath',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'glusterfs',
  'flocker',
  'nfs',
  'rbd',
  'quobyte',
  'cephfs',
  'iscsi',
  'cinder',
  'fc',
  'flexVolume',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'scaleIO',
  'local',
  'storageos',
  'csi',
];

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

const validateSecret = (ref: SecretReference, path: Path): FieldError[] => [
  ...(ref.name
    ? check(dnsSubdomain, ref.name, path.child('name'))
    : [required(path.child('name'))]),
  ...(ref.namespace
    ? check(dnsLabel, ref.namespace, path.child('namespace'))
    : [required(path.child('namespace'))]),
];

const validateCsi = (csi: CSIPersistentVolumeSource, path: Path): FieldError[] => [
  ...validateCsiDriverName(csi.driver, path.child('driver')),
  ...present(csi.volumeHandle, path.child('volumeHandle')),
  ...(
    [
      'controllerPublishSecretRef',
      'controllerExpandSecretRef',
      'nodePublishSecretRef',
      'nodeExpandSecretRef',
    ] as const
  ).flatMap((field) => given(csi[field], (ref) => validateSecret(ref, path.child(field)))),
];

function validateLocal({ local, nodeAffinity }: PersistentVolumeSpec): FieldError[] {
  const path = SPEC.child('local', 'path');
  const text = 'Local volume requires node affinity';
  return [
    ...present(local?.path, path),
    ...noBacksteps(String(local?.path ?? ''), path),
    ...when(!nodeAffinity?.required, required(SPEC.child('nodeAffinity'), text)),
  ];
}

function validateOne(field: string, spec: PersistentVolumeSpec, source: unknown): FieldError[] {
  if (typeof source !== 'object' || !source) return [];
  if (field === 'local') return validateLocal(spec);
  if (field === 'hostPath') return validateHostPath(source as HostPath, SPEC.child('hostPath'));
  return field === 'csi'
    ? validateCsi(source as CSIPersistentVolumeSource, SPEC.child('csi'))
    : validateDiskSource(field, source, SPEC);
}

function validateSource(spec: PersistentVolumeSpec): FieldError[] {
  const given = sourcesOf(spec);
  const named = SOURCES.filter((field) => own(given, field) !== undefined);
  if (named.length === 0) return [required(SPEC, 'must specify a volume type')];
  const text = 'may not specify more than 1 volume type';
  return named.flatMap((field, i) =>
    i === 0 || field === 'flexVolume'
      ? validateOne(field, spec, given[field])
      : [forbidden(SPEC.child(field === 'cephfs' ? 'cephFS' : field), text)],
  );
}

function validateCapacity({ capacity }: PersistentVolumeSpec): FieldError[] {
  const path = SPEC.child('capacity');
  const amounts = entries(capacity);
  const isStorage = amounts.length === 1 && amounts[0]?.[0] === 'storage';
  return [
    ...when(amounts.length === 0, required(path)),
    ...when(!isStorage, notSupported(path, capacity, ['storage'])),
    ...amounts.flatMap(([name, amount]) => [
      ...when(
        quantityValue(amount) < 0,
        invalid(path.key(name), quantityValue(amount), 'must be a valid resource quantity'),
      ),
      ...when(
        compareAmounts(amount, '0') <= 0,
        invalid(path.key(name), canonicalAmount(amount), 'must be greater than zero'),
      ),
    ]),
  ];
}

const needsTerms = (selector: NodeSelector | undefined, path: Path): FieldError[] =>
  selector
    ? validateNodeSelector(selector, path)
    : [required(path, 'must specify required node constraints')];

function validateAttributesClass(spec: PersistentVolumeSpec): FieldError[] {
  const path = SPEC.child('volumeAttributesClassName');
  return given(spec.volumeAttributesClassName, (name) => [
    ...(name === ''
      ? [required(path, 'an empty string is disallowed')]
      : check(dnsSubdomain, name, path)),
    ...when(
      !spec.csi,
      required(SPEC.child('csi'), 'has to be specified when using volumeAttributesClassName'),
    ),
  ]);
}

/** k8s pkg/apis/core/validation/validation.go:ValidatePersistentVolumeSpec. */
export function validateVolume(volume: PersistentVolume): FieldError[] {
  const spec: PersistentVolumeSpec = volume.spec ?? {};
  const policy = SPEC.child('persistentVolumeReclaimPolicy');
  const isRoot = spec.hostPath ? /^\/+(\.?\/*)*$/.test(String(spec.hostPath.path ?? '')) : false;
  return [
    ...when(list(spec.accessModes).length === 0, required(SPEC.child('accessModes'))),
    ...validateAccessModes(spec.accessModes, SPEC.child('accessModes')),
    ...validateCapacity(spec),
    ...oneOf(spec.persistentVolumeReclaimPolicy, ['Delete', 'Recycle', 'Retain'], policy, false),
    ...given(spec.nodeAffinity, (affinity) =>
      needsTerms(affinity.required, SPEC.child('nodeAffinity', 'required')),
    ),
    ...validateSource(spec),
    ...when(
      isRoot && spec.persistentVolumeReclaimPolicy === 'Recycle',
      forbidden(policy, "may not be 'recycle' for a hostPath mount of '/'"),
    ),
    ...(spec.storageClassName
      ? check(dnsSubdomain, spec.storageClassName, SPEC.child('storageClassName'))
      : []),
    ...supported(spec.volumeMode, ['Block', 'Filesystem'], SPEC.child('volumeMode')),
    ...validateAttributesClass(spec),
  ];
}

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
