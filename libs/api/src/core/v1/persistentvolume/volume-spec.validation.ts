import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { forbidden, invalid, notSupported, required } from '@orrery/apimachinery';
import type {
  CSIPersistentVolumeSource,
  NodeSelector,
  PersistentVolumeSpec,
  SecretReference,
} from '../../../types.js';
import { oneOf, present, supported } from '../../../meta/fields.js';
import { given, when } from '../../../meta/findings.js';
import { entries, list, own } from '../../../meta/list.js';
import { check, dnsLabel, dnsSubdomain } from '../../../meta/names.js';
import { canonicalAmount, compareAmounts, quantityValue } from '../../../meta/quantity.js';
import { validateCsiDriverName } from '../../../storage/v1/volumeattributesclass/csi-driver-name.js';
import { validateAccessModes } from '../persistentvolumeclaim/claim-spec.validation.js';
import { validateNodeSelector } from '../pod-spec/scheduling.validation.js';
import { validateHostPath } from '../pod-spec/volume.validation.js';
import { longPortal, validateClusterDisk } from '../volume-source/disk-sources.validation.js';
import { noBacksteps } from '../volume-source/file-path.js';

type HostPath = NonNullable<PersistentVolumeSpec['hostPath']>;

/** What is known of the volume that the spec stands in. */
export interface VolumeScope {
  /** The volume's; '' for one that only an attachment speaks of. */
  readonly name: string;
  /** The stored volume has node labels of illegal values, which then stay legal. */
  readonly keepsValues?: boolean;
}

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

export function sourcesOf(spec: PersistentVolumeSpec | undefined): Record<string, unknown> {
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

function validateLocal({ local, nodeAffinity }: PersistentVolumeSpec, spec: Path): FieldError[] {
  const path = spec.child('local', 'path');
  const text = 'Local volume requires node affinity';
  return [
    ...(local?.path ? noBacksteps(String(local.path), path) : [required(path)]),
    ...when(!nodeAffinity, required(spec.child('nodeAffinity'), text)),
  ];
}

function validateOne(
  field: string,
  spec: PersistentVolumeSpec,
  source: unknown,
  path: Path,
  scope: VolumeScope,
): FieldError[] {
  if (typeof source !== 'object' || !source) return [];
  if (field === 'iscsi')
    return [
      ...longPortal(source, scope.name, path.child('iscsi', 'targetportal'), false),
      ...validateClusterDisk(field, source, path),
    ];
  if (field === 'local') return validateLocal(spec, path);
  if (field === 'hostPath') return validateHostPath(source as HostPath, path.child('hostPath'));
  return field === 'csi'
    ? validateCsi(source as CSIPersistentVolumeSource, path.child('csi'))
    : validateClusterDisk(field, source, path);
}

function validateSource(spec: PersistentVolumeSpec, path: Path, scope: VolumeScope): FieldError[] {
  const given = sourcesOf(spec);
  const named = SOURCES.filter((field) => own(given, field) !== undefined);
  if (named.length === 0) return [required(path, 'must specify a volume type')];
  const text = 'may not specify more than 1 volume type';
  return named.flatMap((field, i) =>
    i === 0 || field === 'flexVolume'
      ? validateOne(field, spec, given[field], path, scope)
      : [forbidden(path.child(field === 'cephfs' ? 'cephFS' : field), text)],
  );
}

function validateCapacity({ capacity }: PersistentVolumeSpec, spec: Path): FieldError[] {
  const path = spec.child('capacity');
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

const needsTerms = (
  selector: NodeSelector | undefined,
  path: Path,
  scope: VolumeScope,
): FieldError[] =>
  selector
    ? validateNodeSelector(selector, path, scope.keepsValues)
    : [required(path, 'must specify required node constraints')];

function validateAttributesClass(spec: PersistentVolumeSpec, at: Path): FieldError[] {
  const path = at.child('volumeAttributesClassName');
  return given(spec.volumeAttributesClassName, (name) => [
    ...(name === ''
      ? [required(path, 'an empty string is disallowed')]
      : check(dnsSubdomain, name, path)),
    ...when(
      !spec.csi,
      required(at.child('csi'), 'has to be specified when using volumeAttributesClassName'),
    ),
  ]);
}

const isRootRecycled = ({
  hostPath,
  persistentVolumeReclaimPolicy,
}: PersistentVolumeSpec): boolean =>
  Boolean(hostPath) &&
  persistentVolumeReclaimPolicy === 'Recycle' &&
  /^\/+(\.?\/*)*$/.test(String(hostPath?.path ?? ''));

/** What a volume and the inline volume of an attachment share. */
function validateShared(spec: PersistentVolumeSpec, path: Path): FieldError[] {
  const modes = path.child('accessModes');
  return [
    ...when(list(spec.accessModes).length === 0, required(modes)),
    ...validateAccessModes(spec.accessModes, modes),
  ];
}

function validateSources(spec: PersistentVolumeSpec, path: Path, scope: VolumeScope): FieldError[] {
  const text = "may not be 'recycle' for a hostPath mount of '/'";
  return [
    ...validateSource(spec, path, scope),
    ...when(isRootRecycled(spec), forbidden(path.child('persistentVolumeReclaimPolicy'), text)),
  ];
}

/** k8s pkg/apis/core/validation/validation.go:ValidatePersistentVolumeSpec. */
export function validateVolumeSpec(
  spec: PersistentVolumeSpec,
  path: Path,
  scope: VolumeScope,
): FieldError[] {
  const policy = path.child('persistentVolumeReclaimPolicy');
  return [
    ...validateShared(spec, path),
    ...validateCapacity(spec, path),
    ...oneOf(spec.persistentVolumeReclaimPolicy, ['Delete', 'Recycle', 'Retain'], policy, false),
    ...given(spec.nodeAffinity, (affinity) =>
      needsTerms(affinity.required, path.child('nodeAffinity', 'required'), scope),
    ),
    ...validateSources(spec, path, scope),
    ...(spec.storageClassName
      ? check(dnsSubdomain, spec.storageClassName, path.child('storageClassName'))
      : []),
    ...supported(spec.volumeMode, ['Block', 'Filesystem'], path.child('volumeMode')),
    ...validateAttributesClass(spec, path),
  ];
}

/** The same function's other half: a volume that only an attachment speaks of, as of migrated in-tree plugins. */
export function validateInlineVolumeSpec(spec: PersistentVolumeSpec, path: Path): FieldError[] {
  const context = 'in the context of inline volumes';
  const refuse = (
    field: keyof PersistentVolumeSpec,
    isGiven: boolean,
    text?: string,
  ): FieldError[] =>
    when(isGiven, forbidden(path.child(field), `${text ?? 'may not be specified'} ${context}`));
  const { persistentVolumeReclaimPolicy: policy = '', volumeMode } = spec;
  const isOtherMode = (volumeMode ?? 'Filesystem') !== 'Filesystem';
  return [
    ...refuse('claimRef', Boolean(spec.claimRef)),
    ...refuse('capacity', entries(spec.capacity).length > 0),
    ...when(!spec.csi, required(path.child('csi'), `has to be specified ${context}`)),
    ...validateShared(spec, path),
    ...refuse(
      'persistentVolumeReclaimPolicy',
      policy !== '' && policy !== 'Retain',
      'may only be Retain',
    ),
    ...refuse('nodeAffinity', Boolean(spec.nodeAffinity)),
    ...validateSources(spec, path, { name: '' }),
    ...refuse('storageClassName', Boolean(spec.storageClassName)),
    ...refuse('volumeMode', isOtherMode, 'may not specify volumeMode other than Filesystem'),
  ];
}
