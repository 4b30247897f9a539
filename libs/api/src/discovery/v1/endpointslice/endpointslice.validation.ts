import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { FieldPath, duplicate, invalid, ipFaults, tooMany, required } from '@orrery/apimachinery';
import { isIPv4, isIPv6 } from 'node:net';
import type {
  Endpoint,
  EndpointHints,
  EndpointPort,
  EndpointSlice,
} from '../../../gen/types/discovery.v1.js';
import type { KindContext } from '../../../kind.js';
import { oneOf, requiredOf } from '../../../meta/fields.js';
import { given, when } from '../../../meta/findings.js';
import { validateLabels } from '../../../meta/label-selector.js';
import { eachOf, list } from '../../../meta/list.js';
import {
  check,
  dnsLabel,
  dnsSubdomain,
  fullDomainName,
  labelValue,
  qualifiedName,
} from '../../../meta/names.js';
import { validateSpecialIp } from '../../../core/v1/endpoints/endpoint-address.js';

const MAX_ADDRESSES = 100;
const MAX_PORTS = 20_000;
const MAX_ENDPOINTS = 1000;
const MAX_TOPOLOGY = 16;
const MAX_HINTS = 8;

function validateAddress(
  slice: EndpointSlice,
  address: string,
  path: Path,
  context: KindContext,
): FieldError[] {
  const { addressType } = slice;
  if (addressType === 'FQDN') return fullDomainName(address, path);
  if (addressType !== 'IPv4' && addressType !== 'IPv6') return [];
  const isOfFamily = addressType === 'IPv6' ? isIPv6(address) : isIPv4(address);
  return [
    ...when(!isOfFamily, invalid(path, address, `must be a valid ${addressType} address`)),
    ...(ipFaults(address, true).length > 0
      ? ipFaults(address, true).map((fault) => invalid(path, address, fault))
      : validateSpecialIp(address, path, context)),
  ];
}

/** k8s pkg/apis/discovery/validation/validation.go:validateHints. */
function validateHints(hints: EndpointHints, path: Path): FieldError[] {
  const findings: FieldError[] = [];
  const rules = { forZones: labelValue, forNodes: dnsSubdomain };
  for (const field of ['forZones', 'forNodes'] as const) {
    const at = path.child(field);
    const names = list(hints[field]).map(({ name }) => name);
    if (names.length > MAX_HINTS) return [...findings, tooMany(at, names.length, MAX_HINTS)];
    for (const [i, name] of names.entries()) {
      const where = at.index(i).child('name');
      if (names.indexOf(name) < i) findings.push(duplicate(where, name));
      findings.push(...check(rules[field], name, where));
    }
  }
  return findings;
}

function validateEndpoint(
  slice: EndpointSlice,
  endpoint: Endpoint,
  path: Path,
  context: KindContext,
): FieldError[] {
  const addresses = list(endpoint.addresses);
  const at = path.child('addresses');
  const topology = path.child('deprecatedTopology');
  const labels = Object.keys(endpoint.deprecatedTopology ?? {}).length;
  return [
    ...when(addresses.length === 0, required(at, 'must contain at least 1 address')),
    ...when(addresses.length > MAX_ADDRESSES, tooMany(at, addresses.length, MAX_ADDRESSES)),
    ...addresses.flatMap((address, i) =>
      validateAddress(slice, String(address), at.index(i), context),
    ),
    ...given(endpoint.nodeName, (name) => check(dnsSubdomain, name, path.child('nodeName'))),
    ...when(labels > MAX_TOPOLOGY, tooMany(topology, labels, MAX_TOPOLOGY)),
    ...validateLabels(endpoint.deprecatedTopology, topology),
    ...given(endpoint.hostname, (name) => check(dnsLabel, name, path.child('hostname'))),
    ...given(endpoint.hints, (hints) => validateHints(hints, path.child('hints'))),
  ];
}

function validatePorts(ports: readonly EndpointPort[]): FieldError[] {
  const path = FieldPath.of('ports');
  if (ports.length > MAX_PORTS) return [tooMany(path, ports.length, MAX_PORTS)];
  const seen = new Set<string>();
  return ports.flatMap((port, i) => {
    const at = path.index(i);
    const name = port.name ?? '';
    const isRepeated = seen.has(name);
    seen.add(name);
    return [
      ...(name ? check(dnsLabel, name, at.child('name')) : []),
      ...when(isRepeated, duplicate(at.child('name'), name)),
      ...requiredOf(port.protocol, ['TCP', 'UDP', 'SCTP'], at.child('protocol')),
      ...given(port.appProtocol, (text) => check(qualifiedName, text, at.child('appProtocol'))),
    ];
  });
}

/** k8s pkg/apis/discovery/validation/validation.go:ValidateEndpointSlice. */
export function validateEndpointSlice(slice: EndpointSlice, context: KindContext): FieldError[] {
  const path = FieldPath.of('endpoints');
  const endpoints = list(slice.endpoints);
  return [
    ...oneOf(slice.addressType, ['FQDN', 'IPv4', 'IPv6'], FieldPath.of('addressType')),
    ...(endpoints.length > MAX_ENDPOINTS
      ? [tooMany(path, endpoints.length, MAX_ENDPOINTS)]
      : eachOf(endpoints, (endpoint, i) =>
          validateEndpoint(slice, endpoint, path.index(i), context),
        )),
    ...validatePorts(list(slice.ports)),
  ];
}
