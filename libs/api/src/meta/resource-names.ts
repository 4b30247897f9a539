import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { invalid, isQualifiedName } from '@orrery/apimachinery';
import { when } from './findings.js';
import { check, qualifiedName } from './names.js';
import { canonicalAmount, compareAmounts, quantityValue, validateQuantity } from './quantity.js';

const CONTAINER = ['cpu', 'memory', 'ephemeral-storage'];

/** Counts of objects, and sizes of claims: names that quotas alone know. */
export const INTEGER_RESOURCES = [
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
];

export const QUOTA_RESOURCES = [
  ...CONTAINER,
  ...CONTAINER.map((name) => `requests.${name}`),
  ...CONTAINER.map((name) => `limits.${name}`),
  'requests.storage',
  ...INTEGER_RESOURCES,
];

export const isHugePages = (name: string): boolean => name.startsWith('hugepages-');
export const isQuotaHugePages = (name: string): boolean =>
  isHugePages(name) || name.startsWith('requests.hugepages-');

/** Of the default namespace: without a domain, or with one of Kubernetes' own. */
export const isNativeResource = (name: string): boolean =>
  !name.includes('/') || name.includes('kubernetes.io/');

/** `example.com/gpu`: whole devices, which no pod can ask for in part. */
export const isExtendedResource = (name: string): boolean =>
  !isNativeResource(name) &&
  !name.startsWith('requests.') &&
  isQualifiedName(`requests.${name}`).length === 0;

const isStandard = (name: string): boolean =>
  QUOTA_RESOURCES.includes(name) || name === 'storage' || isQuotaHugePages(name);

export const isContainerResource = (name: string): boolean =>
  CONTAINER.includes(name) || isHugePages(name);

export const isIntegerResource = (name: string): boolean =>
  INTEGER_RESOURCES.includes(name) || isExtendedResource(name);

/** True when requests may be smaller than limits. */
export const mayOvercommit = (name: string): boolean =>
  isNativeResource(name) && !isHugePages(name);

/** k8s pkg/apis/core/validation/validation.go:validateResourceName. */
export function validateResourceName(name: string, path: FieldPath): FieldError[] {
  const findings = check(qualifiedName, name, path);
  if (findings.length > 0) return findings;
  return when(
    !name.includes('/') && !isStandard(name),
    invalid(path, name, 'must be a standard resource type or fully qualified'),
  );
}

/** k8s pkg/apis/core/validation/validation.go:ValidateResourceQuotaResourceName. */
export function validateQuotaResourceName(name: string, path: FieldPath): FieldError[] {
  const findings = validateResourceName(name, path);
  const isKnown = QUOTA_RESOURCES.includes(name) || isQuotaHugePages(name);
  return [
    ...findings,
    ...when(
      !name.includes('/') && !isKnown,
      invalid(path, name, 'must be a standard resource for quota'),
    ),
  ];
}

/** Not negative, and whole where nothing smaller exists. */
export function validateResourceAmount(
  name: string,
  amount: string,
  path: FieldPath,
): FieldError[] {
  return [
    ...validateQuantity(amount, path),
    ...when(
      isIntegerResource(name) && !Number.isInteger(quantityValue(amount)),
      invalid(path, canonicalAmount(amount), 'must be an integer'),
    ),
  ];
}

/** Huge pages are asked for in whole pages. */
export function validateHugePages(name: string, amount: string, path: FieldPath): FieldError[] {
  if (!isHugePages(name)) return [];
  const size = quantityValue(name.slice('hugepages-'.length));
  const isWhole = size > 0 && quantityValue(amount) % size === 0 && compareAmounts(amount, '0') > 0;
  const isZero = compareAmounts(amount, '0') === 0;
  const text = `${canonicalAmount(amount)} is not positive integer multiple of ${name}`;
  return when(!isWhole && !isZero, invalid(path, canonicalAmount(amount), text));
}
