import type { ServiceAccount } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { list } from '../../../meta/list.js';
import { strategyOf } from '../../../meta/strategy.js';
import { ageColumn, count, nameColumn, table } from '../../../table/columns.js';

export const ServiceAccountKind = defineKind<ServiceAccount>({
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  shortNames: ['sa'],
  scope: 'Namespaced',
  strategy: strategyOf<ServiceAccount>({ namespaced: true }),
  columns: table<ServiceAccount>([
    nameColumn,
    count('Secrets', ({ secrets }) => list(secrets).length),
    ageColumn,
  ]),
  hasGeneration: false,
});
