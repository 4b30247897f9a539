import type { ResourceSlice } from '../../../gen/types/resource.v1.js';
import { defineKind } from '../../../kind.js';
import { strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';
import { validateResourceSlice } from './resourceslice.validation.js';

export const ResourceSliceKind = defineKind<ResourceSlice>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceSlice',
  plural: 'resourceslices',
  scope: 'Cluster',
  strategy: strategyOf<ResourceSlice>({
    namespaced: false,
    checkCreate: (slice) => validateResourceSlice(slice),
    checkUpdate: (slice, old) => validateResourceSlice(slice, old),
  }),
  selectableFields: ({ spec }) => ({
    'spec.nodeName': spec?.nodeName ?? '',
    'spec.driver': spec?.driver ?? '',
  }),
  columns: table<ResourceSlice>([
    nameColumn,
    column('Node', ({ spec }) => spec?.nodeName ?? ''),
    column('Driver', ({ spec }) => spec?.driver ?? ''),
    column('Pool', ({ spec }) => spec?.pool?.name ?? ''),
    ageColumn,
  ]),
  hasGeneration: true,
});
