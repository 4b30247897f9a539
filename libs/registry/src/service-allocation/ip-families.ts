import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, invalid, newInvalid } from '@orrery/apimachinery';
import type { Service, ServiceSpec } from '@orrery/api';
import { familyOf } from './ip-range.js';
import type { IpFamily } from './ip-range.js';

const SPEC = FieldPath.of('spec');
const POLICY = SPEC.child('ipFamilyPolicy');
const NONE = 'None';

const other = (family: string | undefined): IpFamily => (family === 'IPv4' ? 'IPv6' : 'IPv4');

const sameList = (a: readonly string[] = [], b: readonly string[] = []): boolean =>
  a.join() === b.join();

/** A Service for both families where they can be had keeps what it has when the cluster changes. */
const isKept = (spec: ServiceSpec, old: ServiceSpec | undefined): boolean =>
  old?.ipFamilyPolicy === 'PreferDualStack' &&
  spec.ipFamilyPolicy === 'PreferDualStack' &&
  old.type !== 'ExternalName' &&
  sameList(spec.clusterIPs, old.clusterIPs) &&
  sameList(spec.ipFamilies, old.ipFamilies);

const isFree = ({ clusterIP, selector }: ServiceSpec): boolean =>
  clusterIP === NONE && Object.keys(selector ?? {}).length === 0;

function setPolicy(spec: ServiceSpec, old: ServiceSpec | undefined): void {
  if (spec.ipFamilyPolicy) return;
  spec.ipFamilyPolicy = old?.ipFamilyPolicy ?? (isFree(spec) ? 'RequireDualStack' : 'SingleStack');
}

/** Single stack is clear enough an intent to give the second address up. */
function shrink(spec: ServiceSpec, old: ServiceSpec | undefined): void {
  if (!old || spec.ipFamilyPolicy !== 'SingleStack') return;
  if (sameList(spec.clusterIPs, old.clusterIPs)) spec.clusterIPs = spec.clusterIPs?.slice(0, 1);
  if (sameList(spec.ipFamilies, old.ipFamilies)) spec.ipFamilies = spec.ipFamilies?.slice(0, 1);
}

function checkSingle({ ipFamilyPolicy, clusterIPs, ipFamilies }: ServiceSpec): FieldError[] {
  if (ipFamilyPolicy !== 'SingleStack') return [];
  const text = (what: string): string =>
    `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`;
  return [
    ...(clusterIPs?.length === 2 ? [invalid(POLICY, ipFamilyPolicy, text('cluster IPs'))] : []),
    ...(ipFamilies?.length === 2 ? [invalid(POLICY, ipFamilyPolicy, text('IP families'))] : []),
  ];
}

/** Families that the addresses tell. */
function infer(spec: ServiceSpec, configured: readonly IpFamily[]): FieldError[] {
  const findings: FieldError[] = [];
  const ips = spec.clusterIPs ?? [];
  if (ips[0] === NONE) return findings;
  for (const [i, ip] of ips.entries()) {
    if (ip === '' || spec.ipFamilies?.[i] !== undefined) continue;
    const family = familyOf(ip);
    if (configured.includes(family)) spec.ipFamilies = [...(spec.ipFamilies ?? []), family];
    else {
      const path = SPEC.child('clusterIPs').index(i);
      findings.push(invalid(path, ips, `${family} is not configured on this cluster`));
    }
  }
  return findings;
}

function checkConfigured(spec: ServiceSpec, configured: readonly IpFamily[]): FieldError[] {
  const { ipFamilyPolicy, ipFamilies = [] } = spec;
  const alone = 'this cluster is not configured for dual-stack services';
  return [
    ...(ipFamilyPolicy === 'RequireDualStack' && configured.length < 2
      ? [invalid(POLICY, ipFamilyPolicy, alone)]
      : []),
    ...ipFamilies.flatMap((family, i) =>
      configured.some((one) => one === family)
        ? []
        : [invalid(SPEC.child('ipFamilies').index(i), family, 'not configured on this cluster')],
    ),
  ];
}

/**
 * Policy and families of a Service, where the client leaves them to the cluster; `configured` are the cluster's, its own
 * first. Throws an invalid StatusError (k8s pkg/registry/core/service/storage/alloc.go:initIPFamilyFields).
 */
export function initFamilies(
  { metadata, spec }: Service,
  old: ServiceSpec | undefined,
  configured: readonly IpFamily[],
): void {
  if (!spec || spec.type === 'ExternalName' || isKept(spec, old)) return;
  const refuse = (findings: readonly FieldError[]): void => {
    if (findings.length > 0)
      throw newInvalid({ group: '', kind: 'Service' }, metadata.name ?? '', findings);
  };
  setPolicy(spec, old);
  shrink(spec, old);
  refuse([...checkSingle(spec), ...infer(spec, configured)]);
  if (!isFree(spec)) refuse(checkConfigured(spec, configured));
  const families = spec.ipFamilies?.length ? spec.ipFamilies : [configured[0] ?? 'IPv4'];
  const wantsBoth = spec.ipFamilyPolicy !== 'SingleStack' && families.length === 1;
  const hasBoth = configured.length === 2 || isFree(spec);
  spec.ipFamilies = wantsBoth && hasBoth ? [...families, other(families[0])] : families;
}
