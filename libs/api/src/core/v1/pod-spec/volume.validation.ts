import type { FieldError, FieldPath, ObjectMeta } from '@orrery/apimachinery';
import { duplicate, forbidden, invalid, required } from '@orrery/apimachinery';
import type {
  CSIVolumeSource,
  ConfigMapVolumeSource,
  EphemeralVolumeSource,
  HostPathVolumeSource,
  SecretVolumeSource,
  Volume,
} from '../../../types.js';
import { oneOf, present, supported } from '../../../meta/fields.js';
import { given, when } from '../../../meta/findings.js';
import { validateLabels } from '../../../meta/label-selector.js';
import { eachOf, list } from '../../../meta/list.js';
import { check, dnsLabel, dnsSubdomain } from '../../../meta/names.js';
import { validateAnnotations } from '../../../meta/object-meta.js';
import { compareAmounts } from '../../../meta/quantity.js';
import { validateClaimSpec } from '../persistentvolumeclaim/claim-spec.validation.js';
import { longPortal, validateDiskSource } from '../volume-source/disk-sources.validation.js';
import { validateDownwardFile } from '../volume-source/downward-api.validation.js';
import { descendingPath, fileMode, noBacksteps } from '../volume-source/file-path.js';
import { validateKeyToPath, validateProjected } from '../volume-source/projected.validation.js';
import { validateCsiDriverName } from '../../../storage/v1/volumeattributesclass/csi-driver-name.js';

/** Order in which upstream looks for sources: of several, all but the first are refused. */
const ORDER = [
  'emptyDir',
  'hostPath',
  'gitRepo',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'secret',
  'nfs',
  'iscsi',
  'glusterfs',
  'flocker',
  'persistentVolumeClaim',
  'rbd',
  'cinder',
  'cephfs',
  'quobyte',
  'downwardAPI',
  'fc',
  'flexVolume',
  'configMap',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'storageos',
  'projected',
  'scaleIO',
  'csi',
  'ephemeral',
  'image',
] as const;

type Source = (typeof ORDER)[number];

/** Upstream misspells two of the fields that it refuses. */
const REFUSED_AS: Partial<Record<Source, string>> = { cephfs: 'cephFS', downwardAPI: 'downwarAPI' };

const HOST_PATH_TYPES = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];

export function validateHostPath(source: HostPathVolumeSource, path: FieldPath): FieldError[] {
  const at = path.child('path');
  if (!source.path) return [required(at)];
  return [
    ...noBacksteps(String(source.path), at),
    ...supported(source.type, HOST_PATH_TYPES, path.child('type')),
  ];
}

function validateKeyed(
  source: SecretVolumeSource & ConfigMapVolumeSource,
  nameField: 'secretName' | 'name',
  path: FieldPath,
): FieldError[] {
  return [
    ...present(source[nameField], path.child(nameField)),
    ...fileMode(source.defaultMode, path.child('defaultMode')),
    ...eachOf(source.items, (item, i) => validateKeyToPath(item, path.child('items').index(i))),
  ];
}

const validateCsi = (source: CSIVolumeSource, path: FieldPath): FieldError[] => [
  ...validateCsiDriverName(source.driver, path.child('driver')),
  ...given(source.nodePublishSecretRef, ({ name }) =>
    name
      ? check(dnsSubdomain, name, path.child('name'))
      : [required(path.child('nodePublishSecretRef', 'name'))],
  ),
];

function validateEphemeral(source: EphemeralVolumeSource, path: FieldPath): FieldError[] {
  const at = path.child('volumeClaimTemplate');
  const template = source.volumeClaimTemplate;
  if (!template) return [required(at)];
  const { annotations, labels, ...others } = (template.metadata ?? {}) as ObjectMeta;
  return [
    ...validateAnnotations(annotations, at.child('metadata', 'annotations')),
    ...validateLabels(labels, at.child('metadata', 'labels')),
    ...Object.entries(others)
      .filter(([, value]) => Boolean(value))
      .map(([field]) => forbidden(at.child('metadata', field), 'cannot be set')),
    ...validateClaimSpec(template.spec, at.child('spec')),
  ];
}

type Check = (volume: Volume, path: FieldPath) => FieldError[];

const CHECKS: Partial<Record<Source, Check>> = {
  emptyDir: ({ emptyDir }, path) =>
    when(
      compareAmounts(emptyDir?.sizeLimit ?? '0', '0') < 0,
      forbidden(path.child('sizeLimit'), 'SizeLimit field must be a valid resource quantity'),
    ),
  hostPath: ({ hostPath }, path) => given(hostPath, (each) => validateHostPath(each, path)),
  gitRepo: ({ gitRepo }, path) => [
    ...present(gitRepo?.repository, path.child('repository')),
    ...descendingPath(String(gitRepo?.directory ?? ''), path.child('directory')),
  ],
  secret: ({ secret }, path) =>
    given(secret, (each) => validateKeyed(each as SecretVolumeSource, 'secretName', path)),
  configMap: ({ configMap }, path) =>
    given(configMap, (each) => validateKeyed(each as ConfigMapVolumeSource, 'name', path)),
  persistentVolumeClaim: ({ persistentVolumeClaim }, path) =>
    present(persistentVolumeClaim?.claimName, path.child('claimName')),
  downwardAPI: ({ downwardAPI }, path) => [
    ...fileMode(downwardAPI?.defaultMode, path.child('defaultMode')),
    ...eachOf(downwardAPI?.items, (file) => validateDownwardFile(file, path)),
  ],
  projected: ({ projected }, path) => given(projected, (each) => validateProjected(each, path)),
  csi: ({ csi }, path) => given(csi, (each) => validateCsi(each, path)),
  ephemeral: ({ ephemeral }, path) => given(ephemeral, (each) => validateEphemeral(each, path)),
  image: ({ image }, path) => [
    ...present(image?.reference, path.child('reference')),
    ...oneOf(image?.pullPolicy, ['Always', 'IfNotPresent', 'Never'], path.child('pullPolicy')),
  ],
};

function validateSource(volume: Volume, path: FieldPath): FieldError[] {
  const [first, ...others] = ORDER.filter(
    (field) => volume[field] !== undefined && volume[field] !== null,
  );
  if (!first) return [required(path, 'must specify a volume type')];
  const source = volume[first];
  return [
    ...(source && typeof source === 'object' ? validateDiskSource(first, source, path) : []),
    ...(CHECKS[first]?.(volume, path.child(first)) ?? []),
    ...given(volume.iscsi, (each) => longPortal(each, volume.name, path.child('name'), true)),
    ...others.map((field) =>
      forbidden(path.child(REFUSED_AS[field] ?? field), 'may not specify more than 1 volume type'),
    ),
  ];
}

/** The claim made for an ephemeral volume is named after the pod, so both names must fit together. */
function validateClaimName(
  volume: Volume,
  podName: string | undefined,
  at: FieldPath,
): FieldError[] {
  if (!volume.ephemeral || !podName || !volume.name) return [];
  const claim = `${podName}-${volume.name}`;
  return dnsSubdomain(claim).map((message) =>
    invalid(at.child('name'), volume.name, `PVC name ${JSON.stringify(claim)}: ${message}`),
  );
}

/** What is wrong with volumes, and those that are right: mounts may name no others. */
export interface CheckedVolumes {
  readonly findings: readonly FieldError[];
  readonly known: ReadonlyMap<string, Volume>;
}

/** k8s pkg/apis/core/validation/validation.go:ValidateVolumes. */
export function checkVolumes(
  volumes: readonly Volume[] | undefined,
  path: FieldPath,
  podName?: string,
): CheckedVolumes {
  const made = new Set(
    list(volumes)
      .filter(({ ephemeral }) => ephemeral && podName)
      .map(({ name }) => `${podName}-${name}`),
  );
  const known = new Map<string, Volume>();
  const findings = list(volumes).flatMap((volume, i) => {
    const at = path.index(i);
    const claim = volume.persistentVolumeClaim?.claimName;
    const own = [
      ...validateSource(volume, at),
      ...validateClaimName(volume, podName, at),
      ...(volume.name
        ? check(dnsLabel, volume.name, at.child('name'))
        : [required(at.child('name'))]),
      ...when(known.has(volume.name), duplicate(at.child('name'), volume.name)),
    ];
    if (own.length === 0) known.set(volume.name, volume);
    return [
      ...own,
      ...when(
        claim !== undefined && made.has(claim),
        invalid(
          at.child('persistentVolumeClaim', 'claimName'),
          claim,
          'must not reference a PVC that gets created for an ephemeral volume',
        ),
      ),
    ];
  });
  return { findings, known };
}

/** A reference to an object by a DNS subdomain name. */
export const validateReferenceName = (name: string | undefined, path: FieldPath): FieldError[] =>
  name ? check(dnsSubdomain, name, path) : [];
