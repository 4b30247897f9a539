import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { FieldPath, invalid, required } from '@orrery/apimachinery';
import type { EndpointSubset, Endpoints } from '../../../types.js';
import type { KindContext } from '../../../kind.js';
import { defineKind } from '../../../kind.js';
import { oneOf } from '../../../meta/fields.js';
import { eachOf, isDeepEqual, list } from '../../../meta/list.js';
import { check, dnsLabel, portNumber, qualifiedName } from '../../../meta/names.js';
import { strategyOf } from '../../../meta/strategy.js';
import { firstOf } from '../../../table/cells.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';
import { endpointsWarnings, validateEndpointAddress } from './endpoint-address.js';

const SHOWN = 3;

function validateSubset(subset: EndpointSubset, path: Path, context: KindContext): FieldError[] {
  const { addresses, notReadyAddresses, ports } = subset;
  const isEmpty = list(addresses).length + list(notReadyAddresses).length === 0;
  return [
    ...(isEmpty ? [required(path, 'must specify `addresses` or `notReadyAddresses`')] : []),
    ...eachOf(addresses, (address, i) =>
      validateEndpointAddress(address, path.child('addresses').index(i), context),
    ),
    ...eachOf(notReadyAddresses, (address, i) =>
      validateEndpointAddress(address, path.child('notReadyAddresses').index(i), context),
    ),
    ...eachOf(ports, (port, i) => {
      const at = path.child('ports').index(i);
      return [
        ...(port.name
          ? check(dnsLabel, port.name, at.child('name'))
          : list(ports).length > 1
            ? [required(at.child('name'))]
            : []),
        ...portNumber(port.port).map((m) => invalid(at.child('port'), port.port ?? 0, m)),
        ...oneOf(port.protocol, ['TCP', 'UDP', 'SCTP'], at.child('protocol')),
        ...(typeof port.appProtocol === 'string'
          ? check(qualifiedName, port.appProtocol, at.child('appProtocol'))
          : []),
      ];
    }),
  ];
}

const validateSubsets = ({ subsets }: Endpoints, context: KindContext): FieldError[] =>
  eachOf(subsets, (subset, i) => validateSubset(subset, FieldPath.of('subsets').index(i), context));

function endpointsText({ subsets }: Endpoints): string {
  const texts = list(subsets).flatMap(({ addresses, ports }) =>
    list(ports).length === 0
      ? list(addresses).map(({ ip }) => ip)
      : list(ports).flatMap(({ port }) => list(addresses).map(({ ip }) => `${ip}:${port}`)),
  );
  return texts.length === 0 ? '<none>' : firstOf(texts, SHOWN);
}

export const EndpointsKind = defineKind<Endpoints>({
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  singular: 'endpoints',
  shortNames: ['ep'],
  scope: 'Namespaced',
  storagePrefix: 'services/endpoints',
  deprecation: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  setDefaults({ subsets }) {
    for (const { ports } of list(subsets)) {
      for (const port of list(ports)) port.protocol ||= 'TCP';
    }
  },
  strategy: strategyOf<Endpoints>({
    namespaced: true,
    allowCreateOnUpdate: true,
    warnings: endpointsWarnings,
    checkCreate: validateSubsets,
    // What was legal when it was stored stays so.
    checkUpdate: (endpoints, old, context) =>
      isDeepEqual(endpoints.subsets, old.subsets) ? [] : validateSubsets(endpoints, context),
  }),
  columns: table<Endpoints>([nameColumn, column('Endpoints', endpointsText), ageColumn]),
  hasGeneration: false,
});
