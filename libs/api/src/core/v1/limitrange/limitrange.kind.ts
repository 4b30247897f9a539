import type { LimitRange, LimitRangeItem } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { entries, list } from '../../../meta/list.js';
import { strategyOf } from '../../../meta/strategy.js';
import { column, nameColumn, table } from '../../../table/columns.js';
import { validateLimitRange } from './limitrange.validation.js';

/** k8s pkg/apis/core/v1/defaults.go:SetDefaults_LimitRangeItem, for containers. */
function setItemDefaults(item: LimitRangeItem): void {
  if (item.type !== 'Container') return;
  item.default = { ...item.max, ...item.default };
  item.defaultRequest = { ...item.min, ...item.default, ...item.defaultRequest };
  if (entries(item.default).length === 0) delete item.default;
  if (entries(item.defaultRequest).length === 0) delete item.defaultRequest;
}

export const LimitRangeKind = defineKind<LimitRange>({
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  plural: 'limitranges',
  shortNames: ['limits'],
  scope: 'Namespaced',
  setDefaults: ({ spec }) => list(spec?.limits).forEach(setItemDefaults),
  strategy: strategyOf<LimitRange>({
    namespaced: true,
    allowCreateOnUpdate: true,
    // k8s pkg/registry/core/limitrange/strategy.go:PrepareForCreate takes a new UUID.
    prepareForCreate: ({ metadata }) => {
      if (!metadata.generateName) metadata.name ||= metadata.uid ?? '';
    },
    check: validateLimitRange,
  }),
  columns: table<LimitRange>([
    nameColumn,
    column('Created At', ({ metadata }) => metadata.creationTimestamp ?? '<unknown>'),
  ]),
  hasGeneration: false,
});
