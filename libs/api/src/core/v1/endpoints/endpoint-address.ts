import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { invalid, ipFaults, ipWarning } from '@orrery/apimachinery';
import { isIPv4, isIPv6 } from 'node:net';
import type { KindContext } from '../../../kind.js';
import { list } from '../../../meta/list.js';
import { check, dnsLabel, dnsSubdomain } from '../../../meta/names.js';
import type { EndpointAddress, Endpoints } from '../../../types.js';

/** In loopback mode nodes and pods live in one 127.x.0.0/16; what is inside it is an ordinary address. */
function isOfCluster(address: string, { podCidr }: KindContext): boolean {
  if (!podCidr?.startsWith('127.')) return false;
  const block = podCidr.split('.').slice(0, 2).join('.');
  return address.startsWith(`${block}.`);
}

/** k8s pkg/apis/core/validation/validation.go:ValidateEndpointIP, of what is an address. */
export function validateSpecialIp(
  text: string,
  path: FieldPath,
  context: KindContext,
): FieldError[] {
  const refuse = (why: string): FieldError[] => [invalid(path, text, why)];
  if (text === '0.0.0.0' || text === '::') return refuse(`may not be unspecified (${text})`);
  const isLoopback = (isIPv4(text) && text.startsWith('127.')) || (isIPv6(text) && text === '::1');
  if (isLoopback && !isOfCluster(text, context)) {
    return refuse('may not be in the loopback range (127.0.0.0/8, ::1/128)');
  }
  if (/^169\.254\.|^fe[89ab][0-9a-f]:/i.test(text)) {
    return refuse('may not be in the link-local range (169.254.0.0/16, fe80::/10)');
  }
  return /^224\.0\.0\.|^ff02:/i.test(text)
    ? refuse('may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)')
    : [];
}

/** k8s pkg/apis/core/validation/validation.go:validateEndpointAddress; what is no address is told twice there. */
export function validateEndpointAddress(
  { ip, hostname, nodeName }: EndpointAddress,
  path: FieldPath,
  context: KindContext,
): FieldError[] {
  const text = String(ip ?? '');
  const at = path.child('ip');
  return [
    ...ipFaults(text).map((fault) => invalid(at, text, fault)),
    ...(hostname ? check(dnsLabel, hostname, path.child('hostname')) : []),
    ...(typeof nodeName === 'string' ? check(dnsSubdomain, nodeName, path.child('nodeName')) : []),
    ...(ipFaults(text, true).length > 0
      ? [invalid(at, text, 'must be a valid IP address')]
      : validateSpecialIp(text, at, context)),
  ];
}

const warningsOf = (addresses: readonly EndpointAddress[] | undefined, path: string): string[] =>
  list(addresses).flatMap(({ ip }, i) => ipWarning(`${path}[${i}].ip`, ip) ?? []);

/** Addresses in forms that other programs may read otherwise (k8s pkg/registry/core/endpoint/strategy.go:endpointsWarnings). */
export const endpointsWarnings = ({ metadata, subsets }: Endpoints): string[] =>
  metadata.labels?.['endpoints.kubernetes.io/managed-by'] === 'endpoint-controller'
    ? []
    : list(subsets).flatMap(({ addresses, notReadyAddresses }, i) => [
        ...warningsOf(addresses, `subsets[${i}].addresses`),
        ...warningsOf(notReadyAddresses, `subsets[${i}].notReadyAddresses`),
      ]);
