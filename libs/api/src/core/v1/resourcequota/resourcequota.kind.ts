import type { ResourceQuota } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { entries, own } from '../../../meta/list.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';
import {
  validateQuota,
  validateQuotaStatus,
  validateQuotaUpdate,
} from './resourcequota.validation.js';

/** `cpu: 1/2, pods: 3/10`: requests and counts in one column, limits in the other. */
function usageText({ status }: ResourceQuota, wantsLimits: boolean): string {
  return entries(status?.hard)
    .filter(([name]) => name.startsWith('limits.') === wantsLimits)
    .map(([name, hard]) => `${name}: ${own(status?.used, name) ?? '0'}/${hard}`)
    .join(', ');
}

export const ResourceQuotaKind = defineKind<ResourceQuota>({
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  shortNames: ['quota'],
  scope: 'Namespaced',
  setDefaults(quota) {
    quota.spec ??= {};
  },
  strategy: strategyOf<ResourceQuota>({
    namespaced: true,
    ownsStatus: true,
    initialStatus: () => ({}),
    check: validateQuota,
    checkUpdate: validateQuotaUpdate,
  }),
  status: statusStrategyOf<ResourceQuota>(validateQuotaStatus),
  columns: table<ResourceQuota>([
    nameColumn,
    column('Request', (quota) => usageText(quota, false)),
    column('Limit', (quota) => usageText(quota, true)),
    ageColumn,
  ]),
  hasGeneration: false,
});
