import { FieldPath, ipWarning } from '@orrery/apimachinery';
import type { EndpointSlice } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { eachOf, isDeepEqual, list } from '../../../meta/list.js';
import { dnsSubdomain } from '../../../meta/names.js';
import { immutable } from '../../../meta/object-meta.js';
import { strategyOf } from '../../../meta/strategy.js';
import { firstOf } from '../../../table/cells.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';
import { validateEndpointSlice } from './endpointslice.validation.js';

const SHOWN = 3;

const unset = (texts: readonly string[]): string =>
  texts.length === 0 ? '<unset>' : firstOf(texts, SHOWN);

const HOSTNAME = 'kubernetes.io/hostname';
/** Who writes canonical addresses, whatever it has read. */
const OWN_CONTROLLERS = [
  'endpointslice-controller.k8s.io',
  'endpointslicemirroring-controller.k8s.io',
];

/** k8s pkg/registry/discovery/endpointslice/strategy.go:warnOnDeprecatedAddressType, warnOnBadIPs. */
function warnings({ metadata, addressType, endpoints }: EndpointSlice): string[] {
  const isOwn = OWN_CONTROLLERS.includes(
    metadata.labels?.['endpointslice.kubernetes.io/managed-by'] ?? '',
  );
  const path = FieldPath.of('endpoints');
  const addresses = isOwn
    ? []
    : eachOf(endpoints, (endpoint, i) =>
        eachOf(endpoint.addresses, (address, a) => [
          ipWarning(path.index(i).child('addresses').index(a).toString(), String(address)),
        ]),
      );
  return [
    ...(addressType === 'FQDN' ? ['spec.addressType: FQDN endpoints are deprecated'] : []),
    ...addresses.filter((text) => text !== undefined),
  ];
}

/**
 * Through v1 the deprecated topology cannot be written; a node that it named before stays named
 * (k8s pkg/registry/discovery/endpointslice/strategy.go:dropTopologyOnV1).
 */
function dropTopology(slice: EndpointSlice, old?: EndpointSlice): void {
  if (old && isDeepEqual(slice.endpoints, old.endpoints)) return;
  const known = list(old?.endpoints).map((each) => each.deprecatedTopology?.[HOSTNAME]);
  for (const endpoint of list(slice.endpoints)) {
    const named = endpoint.deprecatedTopology?.[HOSTNAME];
    const isKept = named !== undefined && known.includes(named) && dnsSubdomain(named).length === 0;
    if (isKept) endpoint.nodeName ??= named;
    delete endpoint.deprecatedTopology;
  }
}

/** The strategy of all versions; v1beta1 alone may write the topology. */
export const endpointSliceStrategy = strategyOf<EndpointSlice>({
  namespaced: true,
  check: validateEndpointSlice,
  checkUpdate: (slice, old) =>
    immutable(slice.addressType, old.addressType, FieldPath.of('addressType')),
  warnings,
});

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
  strategy: {
    ...endpointSliceStrategy,
    prepareForCreate: (slice) => {
      dropTopology(slice);
    },
    prepareForUpdate: (slice, old) => {
      dropTopology(slice, old);
    },
  },
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
