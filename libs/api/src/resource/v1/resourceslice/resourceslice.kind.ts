import type { ResourceSlice } from '../../../gen/types/resource.v1.js';
import type { KindContext } from '../../../kind.js';
import { defineKind } from '../../../kind.js';
import { list } from '../../../meta/list.js';
import { strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';
import { validateResourceSlice } from './resourceslice.validation.js';

/** k8s pkg/apis/resource/v1/defaults.go:SetDefaults_DeviceTaint, by the request's clock. */
function addTimes({ spec }: ResourceSlice, { now }: KindContext): void {
  for (const device of list(spec?.devices))
    for (const taint of list(device.taints)) taint.timeAdded ??= now;
}

export const ResourceSliceKind = defineKind<ResourceSlice>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceSlice',
  plural: 'resourceslices',
  scope: 'Cluster',
  strategy: strategyOf<ResourceSlice>({
    namespaced: false,
    prepareForCreate: addTimes,
    prepareForUpdate: (slice, _old, context) => {
      addTimes(slice, context);
    },
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
