import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { invalid } from '@orrery/apimachinery';
import type { ResourceRequirements } from '../../../types.js';
import { entries } from '../../../meta/list.js';
import { check, qualifiedName } from '../../../meta/names.js';
import { quantityValue, validateQuantity } from '../../../meta/quantity.js';

const STANDARD = ['cpu', 'memory', 'ephemeral-storage'];

const isStandard = (name: string): boolean =>
  STANDARD.includes(name) || name.startsWith('hugepages-');

/** Cpu, memory and the like may be asked for in part; anything else must be whole. */
const isInteger = (name: string): boolean => !isStandard(name) || name.startsWith('hugepages-');

function validateResourceName(name: string, path: FieldPath): FieldError[] {
  const findings = check(qualifiedName, name, path);
  if (findings.length > 0) return findings;
  if (name.includes('/')) return [];
  return isStandard(name)
    ? []
    : [
        invalid(path, name, 'must be a standard resource type or fully qualified'),
        invalid(path, name, 'must be a standard resource for containers'),
      ];
}

const validateAmount = (name: string, amount: string, path: FieldPath): FieldError[] => {
  const findings = validateQuantity(amount, path.key(name));
  const value = quantityValue(amount);
  return findings.length === 0 && isInteger(name) && !Number.isInteger(value)
    ? [invalid(path.key(name), amount, 'must be an integer')]
    : findings;
};

/** k8s pkg/apis/core/validation/validation.go:ValidateContainerResourceRequirements. */
export function validateResources(
  resources: ResourceRequirements | undefined,
  path: FieldPath,
): FieldError[] {
  if (!resources) return [];
  const limits = path.child('limits');
  const requests = path.child('requests');
  return [
    ...entries(resources.limits).flatMap(([name, amount]) => [
      ...validateResourceName(name, limits.key(name)),
      ...validateAmount(name, amount, limits),
    ]),
    ...entries(resources.requests).flatMap(([name, amount]) => [
      ...validateResourceName(name, requests.key(name)),
      ...validateAmount(name, amount, requests),
      ...validateAgainstLimit(name, amount, resources.limits?.[name], requests),
    ]),
  ];
}

function validateAgainstLimit(
  name: string,
  request: string,
  limit: string | undefined,
  path: FieldPath,
): FieldError[] {
  if (limit === undefined) {
    return !isStandard(name)
      ? [invalid(path, request, `Limit must be set for non overcommitable resources`)]
      : [];
  }
  if (quantityValue(request) > quantityValue(limit)) {
    return [invalid(path, request, `must be less than or equal to ${name} limit of ${limit}`)];
  }
  return !isStandard(name) && quantityValue(request) !== quantityValue(limit)
    ? [invalid(path, request, `must be equal to ${name} limit of ${limit}`)]
    : [];
}
