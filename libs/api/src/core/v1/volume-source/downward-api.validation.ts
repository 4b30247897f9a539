import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { invalid, notSupported, required } from '@orrery/apimachinery';
import type {
  DownwardAPIVolumeFile,
  ObjectFieldSelector,
  ResourceFieldSelector,
} from '../../../types.js';
import { present } from '../../../meta/fields.js';
import { when } from '../../../meta/findings.js';
import { check, qualifiedName } from '../../../meta/names.js';
import { canonicalAmount, compareAmounts } from '../../../meta/quantity.js';
import { fileMode, localPath } from './file-path.js';

/** What an environment variable can show of its pod. */
export const ENV_FIELDS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];

const FILE_FIELDS = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
];

/** Fields of a pod that upstream's conversion knows by name; others cannot be converted. */
const KNOWN_FIELDS = new Set([
  ...ENV_FIELDS,
  ...FILE_FIELDS,
  'spec.host',
  'spec.restartPolicy',
  'spec.schedulerName',
  'status.phase',
]);

const RESOURCES = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];
const SIZES = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];

/** k8s pkg/apis/core/validation/validation.go:validateObjectFieldSelector. */
export function validateFieldRef(
  ref: ObjectFieldSelector,
  allowed: readonly string[],
  path: FieldPath,
): FieldError[] {
  const at = path.child('fieldPath');
  const field = String(ref.fieldPath ?? '');
  if (!ref.apiVersion) return [required(path.child('apiVersion'))];
  if (field === '') return [required(at)];
  if (ref.apiVersion !== 'v1') {
    const text = `error converting fieldPath: unsupported pod version: ${ref.apiVersion}`;
    return [invalid(at, field, text)];
  }
  const [, base, key = ''] = /^(.+?)\['(.*)'\]$/s.exec(field) ?? [];
  const refuse = (why: string): FieldError[] => [
    invalid(at, field, `error converting fieldPath: field label ${why}: ${field}`),
  ];
  if (base === 'metadata.annotations') return check(qualifiedName, key.toLowerCase(), path);
  if (base === 'metadata.labels') return check(qualifiedName, key, path);
  if (base !== undefined) return refuse('does not support subscript');
  if (!KNOWN_FIELDS.has(field)) return refuse('not supported');
  // The name of old.
  const name = field === 'spec.host' ? 'spec.nodeName' : field;
  return when(!allowed.includes(name), notSupported(at, name, allowed));
}

function validateDivisor(resource: string, divisor: unknown, path: FieldPath): FieldError[] {
  if (!divisor || compareAmounts(divisor, '0') === 0) return [];
  const isCpu = resource.endsWith('.cpu');
  const name = /\.(cpu|memory|ephemeral-storage)$/.exec(resource)?.[1];
  if (name === undefined && !/^(limits|requests)\.hugepages-/.test(resource)) return [];
  const legal = isCpu ? ['1m', '1'] : SIZES;
  if (legal.includes(canonicalAmount(divisor))) return [];
  const what =
    name === undefined
      ? 'hugepages'
      : name === 'ephemeral-storage'
        ? 'local ephemeral storage'
        : name;
  const values = isCpu ? '1m and 1' : SIZES.join(', ');
  const text = `only divisor's values ${values} are supported with the ${what} resource`;
  return [invalid(path.child('divisor'), resource, text)];
}

/** k8s pkg/apis/core/validation/validation.go:validateContainerResourceFieldSelector. */
export function validateResourceFieldRef(
  ref: ResourceFieldSelector,
  path: FieldPath,
  needsContainer: boolean,
): FieldError[] {
  const resource = String(ref.resource ?? '');
  const divisor = validateDivisor(resource, ref.divisor, path);
  if (needsContainer && !ref.containerName) {
    return [required(path.child('containerName')), ...divisor];
  }
  if (resource === '') return [required(path.child('resource')), ...divisor];
  const isKnown = RESOURCES.includes(resource) || /^(limits|requests)\.hugepages-/.test(resource);
  return [...when(!isKnown, notSupported(path.child('resource'), resource, RESOURCES)), ...divisor];
}

function validateContent(file: DownwardAPIVolumeFile, path: FieldPath): FieldError[] {
  const { fieldRef, resourceFieldRef } = file;
  if (fieldRef) {
    const text = 'fieldRef and resourceFieldRef can not be specified simultaneously';
    return [
      ...validateFieldRef(fieldRef, FILE_FIELDS, path.child('fieldRef')),
      ...when(Boolean(resourceFieldRef), invalid(path, 'resource', text)),
    ];
  }
  return resourceFieldRef
    ? validateResourceFieldRef(resourceFieldRef, path.child('resourceFieldRef'), true)
    : [required(path, 'one of fieldRef and resourceFieldRef is required')];
}

/** One file of the downward API. Upstream names the volume, not the item. */
export const validateDownwardFile = (
  file: DownwardAPIVolumeFile,
  path: FieldPath,
): FieldError[] => [
  ...present(file.path, path.child('path')),
  ...localPath(String(file.path ?? ''), path.child('path')),
  ...validateContent(file, path),
  ...fileMode(file.mode, path.child('mode')),
];
