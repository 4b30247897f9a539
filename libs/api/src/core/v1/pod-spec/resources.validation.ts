import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { duplicate, forbidden, invalid, notSupported, required } from '@orrery/apimachinery';
import type { ContainerResizePolicy, ResourceRequirements } from '../../../types.js';
import { when } from '../../../meta/findings.js';
import { entries, list } from '../../../meta/list.js';
import { check, dnsLabel } from '../../../meta/names.js';
import { canonicalAmount, compareAmounts } from '../../../meta/quantity.js';
import {
  isContainerResource,
  isExtendedResource,
  isHugePages,
  isNativeResource,
  mayOvercommit,
  validateHugePages,
  validateResourceAmount,
  validateResourceName,
} from '../../../meta/resource-names.js';

/** Says what is wrong with the name of a resource at a path. */
export type ResourceNameRule = (name: string, path: FieldPath) => FieldError[];

export const containerResourceName: ResourceNameRule = (name, path) => [
  ...validateResourceName(name, path),
  ...when(
    !name.includes('/') && !isContainerResource(name),
    invalid(path, name, 'must be a standard resource for containers'),
  ),
  ...when(
    name.includes('/') && !isNativeResource(name) && !isExtendedResource(name),
    invalid(path, name, "doesn't follow extended resource name standard"),
  ),
];

function validateAmounts(
  amounts: Readonly<Record<string, string>> | undefined,
  path: FieldPath,
  nameRule: ResourceNameRule,
): FieldError[] {
  return entries(amounts).flatMap(([name, amount]) => [
    ...nameRule(name, path.key(name)),
    ...validateResourceAmount(name, amount, path.key(name)),
    ...validateHugePages(name, amount, path.key(name)),
  ]);
}

/** Requests beside their limits; upstream names the lists, not their keys. */
function validateAgainstLimits(resources: ResourceRequirements, path: FieldPath): FieldError[] {
  const requests = path.child('requests');
  return entries(resources.requests).flatMap(([name, amount]) => {
    const limit = resources.limits?.[name];
    const isSoft = mayOvercommit(name);
    if (limit === undefined || limit === null) {
      const text = 'Limit must be set for non overcommitable resources';
      return when(!isSoft, required(path.child('limits'), text));
    }
    const order = compareAmounts(amount, limit);
    const relation = isSoft ? 'less than or equal' : 'equal';
    const text = `must be ${relation} to ${name} limit of ${canonicalAmount(limit)}`;
    return when(isSoft ? order > 0 : order !== 0, invalid(requests, canonicalAmount(amount), text));
  });
}

function validateClaims(
  resources: ResourceRequirements,
  known: readonly string[],
  path: FieldPath,
): FieldError[] {
  const names = new Set<string>();
  const where =
    known.length === 0 ? ' which is empty' : `: ${[...new Set(known)].sort().join(', ')}`;
  return list(resources.claims).flatMap(({ name, request }, i) => {
    const at = path.index(i);
    if (!name) return [required(at)];
    const key = request ? `${name}/${request}` : name;
    const clashes =
      names.has(name) ||
      names.has(key) ||
      (!request && [...names].some((each) => each.startsWith(`${name}/`)));
    names.add(key);
    return [
      ...(request ? check(dnsLabel, request, at.child('request')) : []),
      ...when(clashes, duplicate(at, names.has(name) ? name : key)),
      ...when(!known.includes(name), {
        type: 'FieldValueNotFound',
        field: at.toString(),
        message: `Not found: ${JSON.stringify(name)}: must be one of the names in pod.spec.resourceClaims${where}`,
      }),
    ];
  });
}

const isCompute = (name: string): boolean => name === 'cpu' || name === 'memory';

/** k8s pkg/apis/core/validation/validation.go:validateResourceRequirements. */
export function validateResources(
  resources: ResourceRequirements | undefined,
  path: FieldPath,
  claimNames: readonly string[] = [],
  nameRule = containerResourceName,
): FieldError[] {
  if (!resources) return [];
  const names = [...entries(resources.limits), ...entries(resources.requests)].map(([n]) => n);
  const isLone = names.some(isHugePages) && !names.some(isCompute);
  return [
    ...validateAmounts(resources.limits, path.child('limits'), nameRule),
    ...validateAmounts(resources.requests, path.child('requests'), nameRule),
    ...validateAgainstLimits(resources, path),
    ...when(isLone, forbidden(path, 'HugePages require cpu or memory')),
    ...validateClaims(resources, claimNames, path.child('claims')),
  ];
}

const RESIZABLE = ['cpu', 'memory'];
const RESIZE_POLICIES = ['NotRequired', 'RestartContainer'];

const required1of = (value: string, legal: readonly string[], path: FieldPath): FieldError[] =>
  value ? when(!legal.includes(value), notSupported(path, value, legal)) : [required(path)];

/** What a container does when its resources change in place. */
export function validateResizePolicies(
  policies: readonly ContainerResizePolicy[] | undefined,
  restartPolicy: string | undefined,
  path: FieldPath,
): FieldError[] {
  const seen = new Set<string>();
  return list(policies).flatMap(({ resourceName, restartPolicy: policy }, i) => {
    const isRepeated = seen.has(resourceName);
    seen.add(resourceName);
    const text = "must be 'NotRequired' when pod `restartPolicy` is 'Never'";
    return [
      ...when(isRepeated, duplicate(path.index(i), resourceName)),
      ...required1of(resourceName, RESIZABLE, path),
      ...required1of(policy, RESIZE_POLICIES, path),
      ...when(
        restartPolicy === 'Never' && policy !== 'NotRequired',
        invalid(path, policy ?? '', text),
      ),
    ];
  });
}
