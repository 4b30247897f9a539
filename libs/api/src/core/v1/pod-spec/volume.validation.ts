import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { duplicate, forbidden, invalid, required } from '@orrery/apimachinery';
import type { KeyToPath, Volume, VolumeProjection } from '../../../types.js';
import { oneOf, present } from '../../../meta/fields.js';
import { eachOf, list } from '../../../meta/list.js';
import { check, dnsLabel, dnsSubdomain } from '../../../meta/names.js';
import { validateQuantity } from '../../../meta/quantity.js';

const MAX_MODE = 0o777;
const MIN_TOKEN_SECONDS = 600;
const MAX_TOKEN_SECONDS = 2 ** 32;

function validateMode(mode: number | undefined, path: FieldPath): FieldError[] {
  return typeof mode === 'number' && (mode < 0 || mode > MAX_MODE)
    ? [invalid(path, mode, 'must be a number between 0 and 0777 (octal), both inclusive')]
    : [];
}

function validateLocalPath(target: string | undefined, path: FieldPath): FieldError[] {
  if (!target) return [required(path)];
  if (target.startsWith('/')) return [invalid(path, target, 'must be a relative path')];
  if (target.split('/').includes('..')) return [invalid(path, target, "must not contain '..'")];
  return target.startsWith('..') ? [invalid(path, target, "must not start with '..'")] : [];
}

function validateItems(items: readonly KeyToPath[] | undefined, path: FieldPath): FieldError[] {
  return eachOf(items, (item, i) => {
    const at = path.child('items').index(i);
    return [
      ...present(item.key, at.child('key')),
      ...validateLocalPath(item.path, at.child('path')),
      ...validateMode(item.mode, at.child('mode')),
    ];
  });
}

function validateToken(
  token: NonNullable<VolumeProjection['serviceAccountToken']>,
  path: FieldPath,
): FieldError[] {
  const seconds = token.expirationSeconds ?? MIN_TOKEN_SECONDS;
  const at = path.child('expirationSeconds');
  return [
    ...(seconds < MIN_TOKEN_SECONDS
      ? [invalid(at, seconds, 'may not specify a duration less than 10 minutes')]
      : []),
    ...(seconds > MAX_TOKEN_SECONDS
      ? [invalid(at, seconds, 'may not specify a duration larger than 2^32 seconds')]
      : []),
    ...present(token.path, path.child('path')),
  ];
}

function validateProjection(source: VolumeProjection, path: FieldPath): FieldError[] {
  const given = Object.values(source).filter((value) => value !== undefined && value !== null);
  const { secret, configMap, serviceAccountToken } = source;
  return [
    ...(given.length > 1 ? [forbidden(path, 'may not specify more than 1 volume type')] : []),
    ...(secret
      ? [
          ...present(secret.name, path.child('secret', 'name')),
          ...validateItems(secret.items, path.child('secret')),
        ]
      : []),
    ...(configMap
      ? [
          ...present(configMap.name, path.child('configMap', 'name')),
          ...validateItems(configMap.items, path.child('configMap')),
        ]
      : []),
    ...(serviceAccountToken
      ? validateToken(serviceAccountToken, path.child('serviceAccountToken'))
      : []),
  ];
}

function validateHostPath(source: NonNullable<Volume['hostPath']>, path: FieldPath): FieldError[] {
  if (!source.path) return [required(path.child('path'))];
  return [
    ...(source.path.split('/').includes('..')
      ? [invalid(path.child('path'), source.path, "must not contain '..'")]
      : []),
    ...oneOf(
      source.type,
      [
        '',
        'BlockDevice',
        'CharDevice',
        'Directory',
        'DirectoryOrCreate',
        'File',
        'FileOrCreate',
        'Socket',
      ],
      path.child('type'),
      false,
    ),
  ];
}

function validateFileSources(volume: Volume, path: FieldPath): FieldError[] {
  const { secret, configMap, projected, downwardAPI } = volume;
  return [
    ...(secret
      ? [
          ...present(secret.secretName, path.child('secret', 'secretName')),
          ...validateMode(secret.defaultMode, path.child('secret', 'defaultMode')),
          ...validateItems(secret.items, path.child('secret')),
        ]
      : []),
    ...(configMap
      ? [
          ...present(configMap.name, path.child('configMap', 'name')),
          ...validateMode(configMap.defaultMode, path.child('configMap', 'defaultMode')),
          ...validateItems(configMap.items, path.child('configMap')),
        ]
      : []),
    ...(projected
      ? [
          ...validateMode(projected.defaultMode, path.child('projected', 'defaultMode')),
          ...eachOf(projected.sources, (source, i) =>
            validateProjection(source, path.child('projected', 'sources').index(i)),
          ),
        ]
      : []),
    ...(downwardAPI
      ? [
          ...validateMode(downwardAPI.defaultMode, path.child('downwardAPI', 'defaultMode')),
          ...eachOf(downwardAPI.items, (item, i) =>
            validateLocalPath(item.path, path.child('downwardAPI', 'items').index(i).child('path')),
          ),
        ]
      : []),
  ];
}

function validateSource(volume: Volume, path: FieldPath): FieldError[] {
  const sources = Object.entries(volume).filter(
    ([key, value]) => key !== 'name' && value !== undefined && value !== null,
  );
  const { emptyDir, hostPath, persistentVolumeClaim, nfs } = volume;
  return [
    ...(sources.length === 0 ? [required(path, 'must specify a volume type')] : []),
    ...sources
      .slice(1)
      .map(([key]) => forbidden(path.child(key), 'may not specify more than 1 volume type')),
    ...(emptyDir?.sizeLimit !== undefined && emptyDir.sizeLimit !== null
      ? validateQuantity(emptyDir.sizeLimit, path.child('emptyDir', 'sizeLimit'))
      : []),
    ...(hostPath ? validateHostPath(hostPath, path.child('hostPath')) : []),
    ...(persistentVolumeClaim
      ? present(persistentVolumeClaim.claimName, path.child('persistentVolumeClaim', 'claimName'))
      : []),
    ...(nfs
      ? [
          ...present(nfs.server, path.child('nfs', 'server')),
          ...present(nfs.path, path.child('nfs', 'path')),
        ]
      : []),
    ...validateFileSources(volume, path),
  ];
}

/** k8s pkg/apis/core/validation/validation.go:ValidateVolumes. */
export function validateVolumes(
  volumes: readonly Volume[] | undefined,
  path: FieldPath,
): FieldError[] {
  const names = new Set<string>();
  return list(volumes).flatMap((volume, i) => {
    const at = path.index(i);
    const findings = validateSource(volume, at);
    if (!volume.name) return [...findings, required(at.child('name'))];
    findings.push(...check(dnsLabel, volume.name, at.child('name')));
    if (names.has(volume.name)) findings.push(duplicate(at.child('name'), volume.name));
    names.add(volume.name);
    return findings;
  });
}

/** A reference to an object by a DNS subdomain name. */
export const validateReferenceName = (name: string | undefined, path: FieldPath): FieldError[] =>
  name ? check(dnsSubdomain, name, path) : [];
