import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { forbidden, invalid, notFound, notSupported, required } from '@orrery/apimachinery';
import type { Container, Volume, VolumeDevice, VolumeMount } from '../../../types.js';
import { given, when } from '../../../meta/findings.js';
import { list } from '../../../meta/list.js';
import { descendingPath } from '../volume-source/file-path.js';

/** The pod's volumes that are legal by themselves, by name. */
export type VolumesByName = ReadonlyMap<string, Volume>;

const PROPAGATION = ['Bidirectional', 'HostToContainer', 'None'];
const RECURSIVE = ['Disabled', 'Enabled', 'IfPossible'];

function validatePropagation(
  mount: VolumeMount,
  container: Container,
  path: FieldPath,
): FieldError[] {
  const isPrivileged = container.securityContext?.privileged === true;
  const text = 'Bidirectional mount propagation is available only to privileged containers';
  return given(mount.mountPropagation, (mode) => [
    ...when(!PROPAGATION.includes(mode), notSupported(path, mode, PROPAGATION)),
    ...when(mode === 'Bidirectional' && !isPrivileged, forbidden(path, text)),
  ]);
}

function validateRecursiveReadOnly(mount: VolumeMount, path: FieldPath): FieldError[] {
  const { recursiveReadOnly, readOnly, mountPropagation = 'None' } = mount;
  if (!recursiveReadOnly || recursiveReadOnly === 'Disabled') return [];
  if (!RECURSIVE.includes(recursiveReadOnly))
    return [notSupported(path, recursiveReadOnly, RECURSIVE)];
  const text = 'may only be specified when mountPropagation is None or not specified';
  return [
    ...when(!readOnly, forbidden(path, 'may only be specified when readOnly is true')),
    ...when((mountPropagation ?? 'None') !== 'None', forbidden(path, text)),
  ];
}

/** Upstream names the list in findings of subPath, mountPropagation and recursiveReadOnly. */
function validateMount(
  mount: VolumeMount,
  container: Container,
  at: FieldPath,
  path: FieldPath,
): FieldError[] {
  const { subPath, subPathExpr } = mount;
  const devices = list(container.volumeDevices);
  return [
    ...when(
      devices.some(({ name }) => name === mount.name),
      invalid(at.child('name'), mount.name, 'must not already exist in volumeDevices'),
    ),
    ...when(
      devices.some(({ devicePath }) => devicePath === mount.mountPath),
      invalid(
        at.child('mountPath'),
        mount.mountPath,
        'must not already exist as a path in volumeDevices',
      ),
    ),
    ...(subPath ? descendingPath(subPath, path.child('subPath')) : []),
    ...when(
      Boolean(subPath) && Boolean(subPathExpr),
      invalid(
        at.child('subPathExpr'),
        subPathExpr,
        'subPathExpr and subPath are mutually exclusive',
      ),
    ),
    ...(subPathExpr ? descendingPath(subPathExpr, path.child('subPathExpr')) : []),
    ...validatePropagation(mount, container, path.child('mountPropagation')),
    ...validateRecursiveReadOnly(mount, path.child('recursiveReadOnly')),
  ];
}

/** k8s pkg/apis/core/validation/validation.go:ValidateVolumeMounts. */
export function validateMounts(
  container: Container,
  volumes: VolumesByName,
  path: FieldPath,
): FieldError[] {
  const seen = new Set<string>();
  return list(container.volumeMounts).flatMap((mount, i) => {
    const at = path.index(i);
    const isTaken = seen.has(mount.mountPath);
    seen.add(mount.mountPath);
    return [
      ...when(!mount.name, required(at.child('name'))),
      ...when(!volumes.has(mount.name), notFound(at.child('name'), mount.name ?? '')),
      ...when(!mount.mountPath, required(at.child('mountPath'))),
      ...when(isTaken, invalid(at.child('mountPath'), mount.mountPath, 'must be unique')),
      ...validateMount(mount, container, at, path),
    ];
  });
}

const stepsBack = (path: string | undefined): boolean =>
  String(path ?? '')
    .split('/')
    .includes('..');

function validateDevice(
  device: VolumeDevice,
  container: Container,
  volume: Volume | undefined,
  at: FieldPath,
  isTaken: boolean,
): FieldError[] {
  const { name, devicePath } = device;
  const isClaim = Boolean(volume?.persistentVolumeClaim) || Boolean(volume?.ephemeral);
  const mounts = list(container.volumeMounts);
  return [
    ...when(
      volume !== undefined && !isClaim,
      invalid(
        at.child('name'),
        name,
        'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode',
      ),
    ),
    ...when(!volume, notFound(at.child('name'), name ?? '')),
    ...when(!devicePath, required(at.child('devicePath'))),
    ...when(isTaken, invalid(at.child('devicePath'), devicePath, 'must be unique')),
    ...when(
      stepsBack(devicePath),
      invalid(at.child('devicePath'), devicePath, "can not contain backsteps ('..')"),
    ),
    ...when(
      mounts.some((mount) => mount.name === name),
      invalid(at.child('name'), name, 'must not already exist in volumeMounts'),
    ),
    ...when(
      mounts.some((mount) => mount.mountPath === devicePath),
      invalid(
        at.child('devicePath'),
        devicePath,
        'must not already exist as a path in volumeMounts',
      ),
    ),
  ];
}

/** k8s pkg/apis/core/validation/validation.go:ValidateVolumeDevices. */
export function validateDevices(
  container: Container,
  volumes: VolumesByName,
  path: FieldPath,
): FieldError[] {
  const names = new Set<string>();
  const paths = new Set<string>();
  return list(container.volumeDevices).flatMap((device, i) => {
    const at = path.index(i);
    const { name, devicePath } = device;
    const findings = [
      ...when(!name, required(at.child('name'))),
      ...when(names.has(name), invalid(at.child('name'), name, 'must be unique')),
      ...validateDevice(device, container, volumes.get(name), at, paths.has(devicePath)),
    ];
    if (name) names.add(name);
    if (!stepsBack(devicePath)) paths.add(devicePath);
    return findings;
  });
}
