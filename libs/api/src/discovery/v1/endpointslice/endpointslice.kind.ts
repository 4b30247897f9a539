import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { FieldPath, duplicate, forbidden, invalid, required, tooMany } from '@orrery/apimachinery';
import { isIPv4, isIPv6 } from 'node:net';
import type { Endpoint, EndpointSlice } from '../../../types.js';
import type { KindContext } from '../../../kind.js';
import { defineKind } from '../../../kind.js';
import { oneOf } from '../../../meta/fields.js';
import { eachOf, list } from '../../../meta/list.js';
import { check, dnsLabel, dnsSubdomain, portNumber } from '../../../meta/names.js';
import { immutable } from '../../../meta/object-meta.js';
import { strategyOf } from '../../../meta/strategy.js';
import { firstOf } from '../../../table/cells.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';
import { validateEndpointIp } from '../../../core/v1/endpoints/endpoint-address.js';

const SHOWN = 3;
const MAX_ADDRESSES = 100;
const MAX_PORTS = 20_000;
const MAX_ENDPOINTS = 1000;

function validateAddress(
  slice: EndpointSlice,
  address: string,
  path: Path,
  context: KindContext,
): FieldError[] {
  if (slice.addressType === 'FQDN') return check(dnsSubdomain, address, path);
  const isOfFamily = slice.addressType === 'IPv6' ? isIPv6(address) : isIPv4(address);
  if (!isOfFamily) {
    return [invalid(path, address, `must be a valid ${slice.addressType ?? ''} address`)];
  }
  return validateEndpointIp(address, path, context);
}

function validateEndpoint(
  slice: EndpointSlice,
  endpoint: Endpoint,
  path: Path,
  context: KindContext,
): FieldError[] {
  const addresses = list(endpoint.addresses);
  const at = path.child('addresses');
  return [
    ...(addresses.length === 0 ? [required(at, 'must contain at least 1 address')] : []),
    ...(addresses.length > MAX_ADDRESSES ? [tooMany(at, addresses.length, MAX_ADDRESSES)] : []),
    ...addresses.flatMap((address, i) =>
      validateAddress(slice, String(address), at.index(i), context),
    ),
    ...(endpoint.nodeName ? check(dnsSubdomain, endpoint.nodeName, path.child('nodeName')) : []),
    ...(endpoint.hostname ? check(dnsLabel, endpoint.hostname, path.child('hostname')) : []),
    ...(endpoint.deprecatedTopology?.['kubernetes.io/hostname']
      ? [
          forbidden(
            path.child('deprecatedTopology').key('kubernetes.io/hostname'),
            'use nodeName instead',
          ),
        ]
      : []),
  ];
}

function validatePorts(slice: EndpointSlice): FieldError[] {
  const path = FieldPath.of('ports');
  const names = new Set<string>();
  return [
    ...(list(slice.ports).length > MAX_PORTS
      ? [tooMany(path, list(slice.ports).length, MAX_PORTS)]
      : []),
    ...eachOf(slice.ports, (port, i) => {
      const at = path.index(i);
      const name = port.name ?? '';
      const repeated = names.has(name);
      names.add(name);
      return [
        ...(name ? check(dnsLabel, name, at.child('name')) : []),
        ...(repeated ? [duplicate(at.child('name'), name)] : []),
        ...oneOf(port.protocol, ['TCP', 'UDP', 'SCTP'], at.child('protocol')),
        ...(port.port === undefined || port.port === null
          ? []
          : portNumber(port.port).map((m) => invalid(at.child('port'), port.port, m))),
      ];
    }),
  ];
}

function validate(slice: EndpointSlice, context: KindContext): FieldError[] {
  const path = FieldPath.of('endpoints');
  const endpoints = list(slice.endpoints);
  return [
    ...oneOf(slice.addressType, ['IPv4', 'IPv6', 'FQDN'], FieldPath.of('addressType')),
    ...(endpoints.length > MAX_ENDPOINTS ? [tooMany(path, endpoints.length, MAX_ENDPOINTS)] : []),
    ...endpoints.flatMap((endpoint, i) =>
      validateEndpoint(slice, endpoint, path.index(i), context),
    ),
    ...validatePorts(slice),
  ];
}

const unset = (texts: readonly string[]): string =>
  texts.length === 0 ? '<unset>' : firstOf(texts, SHOWN);

export const EndpointSliceKind = defineKind<EndpointSlice>({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  scope: 'Namespaced',
  setDefaults({ ports }) {
    for (const port of list(ports)) {
      port.name ??= '';
      port.protocol ??= 'TCP';
    }
  },
  strategy: strategyOf<EndpointSlice>({
    namespaced: true,
    check: validate,
    checkUpdate: (slice, old) =>
      immutable(slice.addressType, old.addressType, FieldPath.of('addressType')),
  }),
  columns: table<EndpointSlice>([
    nameColumn,
    column('AddressType', ({ addressType }) => addressType ?? ''),
    column('Ports', ({ ports }) => unset(list(ports).map(({ port }) => String(port ?? '*')))),
    column('Endpoints', ({ endpoints }) =>
      unset(list(endpoints).flatMap(({ addresses }) => [...list(addresses)])),
    ),
    ageColumn,
  ]),
  hasGeneration: true,
});
