import { FieldPath } from '@orrery/apimachinery';
import type { EndpointSlice } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { list } from '../../../meta/list.js';
import { immutable } from '../../../meta/object-meta.js';
import { strategyOf } from '../../../meta/strategy.js';
import { firstOf } from '../../../table/cells.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';
import { validateEndpointSlice } from './endpointslice.validation.js';

const SHOWN = 3;

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
    check: validateEndpointSlice,
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
