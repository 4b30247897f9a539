import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { invalid, notSupported, required } from '@orrery/apimachinery';
import type {
  DeviceClaim,
  DeviceConstraint,
  DeviceRequest,
  DeviceSubRequest,
  ResourceClaimSpec,
} from '../../../gen/types/resource.v1.js';
import { when } from '../../../meta/findings.js';
import { eachOf, list } from '../../../meta/list.js';
import { check, dnsSubdomain } from '../../../meta/names.js';
import {
  validateConfiguration,
  validateSelectors,
  validateToleration,
} from '../device/device-config.validation.js';
import {
  validateBounded,
  validateFullAttributeName,
  validateRequestName,
} from '../device/device-names.js';

const MAX_REQUESTS = 32;
const MAX_ALTERNATIVES = 8;
const UNKNOWN_REQUEST =
  "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";

/** Names by which a claim's requests can be meant: `request` and `request/alternative`. */
export function requestNamesOf(claim: DeviceClaim | undefined): ReadonlySet<string> {
  const names = list(claim?.requests).flatMap(({ name, firstAvailable }) => [
    name,
    ...list(firstAvailable).map((each) => `${name}/${each.name}`),
  ]);
  return new Set(names);
}

export function validateRequestRef(
  name: string,
  known: ReadonlySet<string>,
  path: FieldPath,
): FieldError[] {
  const parts = String(name).split('/');
  if (parts.length > 2) return [invalid(path, name, UNKNOWN_REQUEST)];
  return [
    ...parts.flatMap((part) => validateRequestName(part, path)),
    ...when(!known.has(name), invalid(path, name, UNKNOWN_REQUEST)),
  ];
}

export const validateRequestRefs = (
  names: readonly string[] | undefined,
  known: ReadonlySet<string>,
  path: FieldPath,
): FieldError[] =>
  validateBounded(names, path, { max: MAX_REQUESTS, keyOf: (name) => name }, (name, at) =>
    validateRequestRef(name, known, at),
  );

type Asked = Omit<DeviceSubRequest, 'name'>;

function validateAllocationMode(
  { allocationMode, count = 0 }: Asked,
  path: FieldPath,
): FieldError[] {
  const at = path.child('count');
  if (allocationMode === 'All') {
    const text = "must not be specified when allocationMode is 'All'";
    return when(count !== 0, invalid(at, count, text));
  }
  if (allocationMode === 'ExactCount') {
    return when(count <= 0, invalid(at, count, 'must be greater than zero'));
  }
  const mode = path.child('allocationMode');
  return [notSupported(mode, allocationMode ?? '', ['All', 'ExactCount'])];
}

function validateAsked(asked: Asked, path: FieldPath): FieldError[] {
  const className = path.child('deviceClassName');
  return [
    ...(asked.deviceClassName
      ? check(dnsSubdomain, asked.deviceClassName, className)
      : [required(className)]),
    ...validateSelectors(asked.selectors, path.child('selectors')),
    ...validateAllocationMode(asked, path),
    ...eachOf(asked.tolerations, (each, i) =>
      validateToleration(each, path.child('tolerations').index(i)),
    ),
  ];
}

function validateRequest(request: DeviceRequest, path: FieldPath): FieldError[] {
  const { exactly, firstAvailable } = request;
  const isOneOf = list(firstAvailable).length > 0;
  const oneWanted = 'exactly one of `exactly` or `firstAvailable` is required';
  const name = validateRequestName(request.name, path.child('name'));
  if (exactly && isOneOf)
    return [...name, invalid(path, null, `${oneWanted}, but multiple fields are set`)];
  if (exactly) return [...name, ...validateAsked(exactly, path.child('exactly'))];
  if (!isOneOf) return [...name, required(path, oneWanted)];
  const bound = { max: MAX_ALTERNATIVES, keyOf: (one: DeviceSubRequest) => one.name };
  return [
    ...name,
    ...validateBounded(firstAvailable, path.child('firstAvailable'), bound, (each, at) => [
      ...validateRequestName(each.name, at.child('name')),
      ...validateAsked(each, at),
    ]),
  ];
}

function validateConstraint(
  constraint: DeviceConstraint,
  known: ReadonlySet<string>,
  path: FieldPath,
): FieldError[] {
  const { matchAttribute, distinctAttribute } = constraint;
  const refs = validateRequestRefs(constraint.requests, known, path.child('requests'));
  if (typeof matchAttribute === 'string')
    return [...refs, ...validateFullAttributeName(matchAttribute, path.child('matchAttribute'))];
  if (typeof distinctAttribute === 'string') {
    const at = path.child('distinctAttribute');
    return [...refs, ...validateFullAttributeName(distinctAttribute, at)];
  }
  const oneWanted = 'exactly one of "matchAttribute" or "distinctAttribute" is required';
  return [...refs, required(path, `${oneWanted}, but multiple fields are set`)];
}

/** k8s pkg/apis/resource/validation/validation.go:validateResourceClaimSpec. */
export function validateClaimSpec(
  spec: ResourceClaimSpec | undefined,
  path: FieldPath,
  isStored = false,
): FieldError[] {
  const claim = spec?.devices;
  const at = path.child('devices');
  const known = requestNamesOf(claim);
  return [
    ...validateBounded(
      claim?.requests,
      at.child('requests'),
      { max: MAX_REQUESTS, keyOf: ({ name }) => name },
      validateRequest,
    ),
    ...validateBounded(
      claim?.constraints,
      at.child('constraints'),
      { max: MAX_REQUESTS },
      (each, here) => validateConstraint(each, known, here),
    ),
    ...validateBounded(claim?.config, at.child('config'), { max: MAX_REQUESTS }, (each, here) => [
      ...validateRequestRefs(each.requests, known, here.child('requests')),
      ...validateConfiguration(each, here, isStored),
    ]),
  ];
}
