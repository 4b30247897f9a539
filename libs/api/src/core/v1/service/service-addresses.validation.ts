import type { FieldError } from '@orrery/apimachinery';
import {
  FieldPath,
  duplicate,
  invalid,
  ipFaults,
  notSupported,
  required,
} from '@orrery/apimachinery';
import type { Service, ServiceSpec } from '../../../types.js';
import { ipFamilyOf } from '../../../meta/fields.js';
import { given, when } from '../../../meta/findings.js';
import { list } from '../../../meta/list.js';
import { isHeadless } from './service.defaults.js';

const SPEC = FieldPath.of('spec');
const IPS = SPEC.child('clusterIPs');
const FAMILIES = SPEC.child('ipFamilies');
const POLICY = SPEC.child('ipFamilyPolicy');
const POLICIES = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];
const FIXED = 'may not change once set';

/** A new address must be one without doubt; those that were there stay legal. */
export function validateNewIp(
  ip: string,
  known: readonly string[] | undefined,
  path: FieldPath,
): FieldError[] {
  if (list(known).includes(ip)) return [];
  return ipFaults(String(ip ?? '')).map((fault) => invalid(path, ip ?? '', fault));
}

function validateFamilies(spec: ServiceSpec): FieldError[] {
  const seen = new Set<string>();
  return [
    ...list(spec.ipFamilies).flatMap((family, i) => {
      const isRepeated = seen.has(family);
      seen.add(family);
      return [
        ...when(
          family !== 'IPv4' && family !== 'IPv6',
          notSupported(FAMILIES.index(i), family, ['IPv4', 'IPv6']),
        ),
        ...when(isRepeated, duplicate(FAMILIES.index(i), family)),
      ];
    }),
    ...given(spec.ipFamilyPolicy, (policy) =>
      when(!POLICIES.includes(policy), notSupported(POLICY, policy, POLICIES)),
    ),
  ];
}

function validatePairs(spec: ServiceSpec): FieldError[] {
  const ips = list(spec.clusterIPs);
  const families = list(spec.ipFamilies);
  const isSameFamily = ips.length === 2 && new Set(ips.map(ipFamilyOf)).size === 1;
  return [
    ...when(isSameFamily, invalid(IPS, ips, 'may specify no more than one IP for each IP family')),
    ...(isHeadless(spec) ? [] : ips).flatMap((ip, i) => {
      const family = families[i];
      const text = `expected an ${family} value as indicated by \`ipFamilies[${i}]\``;
      return when(
        (family === 'IPv4' || family === 'IPv6') && ipFamilyOf(ip) !== family,
        invalid(IPS.index(i), ip, text),
      );
    }),
  ];
}

/** k8s pkg/apis/core/validation/validation.go:ValidateServiceClusterIPsRelatedFields. */
export function validateClusterIps(spec: ServiceSpec, old: ServiceSpec | undefined): FieldError[] {
  if (spec.type === 'ExternalName') return [];
  const ips = list(spec.clusterIPs);
  const { clusterIP } = spec;
  const faults = ips.flatMap((ip, i) => {
    if (i > 0 || ip !== 'None') return validateNewIp(ip, old?.clusterIPs, IPS.index(i));
    return when(ips.length > 1, invalid(IPS, ips, "'None' must be the first and only value"));
  });
  return [
    ...when(Boolean(clusterIP) && ips.length === 0, required(IPS)),
    ...when(
      Boolean(clusterIP) && ips.length > 0 && ips[0] !== clusterIP,
      invalid(IPS, ips, 'first value must match `clusterIP`'),
    ),
    ...when(
      !clusterIP && ips.length > 0,
      invalid(IPS, ips, 'must be empty when `clusterIP` is not specified'),
    ),
    ...validateFamilies(spec),
    ...faults,
    ...when(ips.length > 2, invalid(IPS, ips, 'may only hold up to 2 values')),
    ...(faults.length > 0 ? [] : validatePairs(spec)),
  ];
}

interface Held {
  readonly now: readonly string[];
  readonly before: readonly string[];
}

/** Families as upstream tells of them: of a change always the first, and where their number changes by addresses. */
function validateHeldFamilies({ now, before }: Held, spec: ServiceSpec): FieldError[] {
  const first = FAMILIES.index(0);
  const ips = list(spec.clusterIPs);
  if (now.length === before.length) {
    return before.flatMap((value, i) => when(now[i] !== value, invalid(first, now, FIXED)));
  }
  const isShorter = now.length < before.length;
  const isMoved = before.length > 0 && now.length > 0 && now[0] !== before[0];
  return [
    ...when(
      isShorter && ips.length === 0,
      invalid(first, now, 'primary ipFamily can not be unset'),
    ),
    ...when(isMoved, invalid(first, ips, FIXED)),
    ...(isShorter && now.length === 1 ? validateRelease(spec, 'ipFamily') : []),
  ];
}

/** The second of a pair goes by the policy. */
const validateRelease = (spec: ServiceSpec, what: string): FieldError[] =>
  when(
    spec.ipFamilyPolicy !== 'SingleStack',
    invalid(
      POLICY,
      spec.ipFamilyPolicy ?? null,
      `must be set to 'SingleStack' when releasing the secondary ${what}`,
    ),
  );

/** The first address stays; a second may come and go. */
function validateHeldIps({ now, before }: Held, spec: ServiceSpec): FieldError[] {
  const path = IPS;
  if (now.length === before.length) {
    return before.flatMap((value, i) => when(now[i] !== value, invalid(path.index(i), now, FIXED)));
  }
  const isShorter = now.length < before.length;
  const isMoved = before.length > 0 && now.length > 0 && now[0] !== before[0];
  return [
    ...when(
      isShorter && now.length === 0,
      invalid(path.index(0), now, 'primary clusterIP can not be unset'),
    ),
    ...when(isMoved, invalid(path.index(0), now, FIXED)),
    ...(isShorter && now.length === 1 ? validateRelease(spec, 'clusterIP') : []),
  ];
}

/** Addresses and families of a service that stays a service of the same sort. */
export function validateAddressUpdate({ spec }: Service, { spec: old }: Service): FieldError[] {
  if (!spec || !old || spec.type === 'ExternalName' || old.type === 'ExternalName') return [];
  if (isHeadless(spec) && isHeadless(old)) return [];
  const ips = { now: list(spec.clusterIPs), before: list(old.clusterIPs) };
  const families = { now: list(spec.ipFamilies), before: list(old.ipFamilies) };
  return [
    ...validateHeldIps(ips, spec),
    ...(isHeadless(spec) === isHeadless(old) ? validateHeldFamilies(families, spec) : []),
  ];
}
