import type { ComponentStatus } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { list } from '../../../meta/list.js';
import { strategyOf } from '../../../meta/strategy.js';
import { column, nameColumn, table } from '../../../table/columns.js';

const STATUS: Readonly<Record<string, string>> = { True: 'Healthy', False: 'Unhealthy' };

const healthOf = ({
  conditions,
}: ComponentStatus): { status: string; message: string; error: string } => {
  const healthy = list(conditions).find(({ type }) => type === 'Healthy');
  if (!healthy) return { status: 'Unknown', message: '', error: '' };
  return {
    status: STATUS[healthy.status] ?? 'Unhealthy',
    message: healthy.message ?? '',
    error: healthy.error ?? '',
  };
};

/** Never stored: the server asks the components when somebody asks it. */
export const ComponentStatusKind = defineKind<ComponentStatus>({
  group: '',
  version: 'v1',
  kind: 'ComponentStatus',
  plural: 'componentstatuses',
  shortNames: ['cs'],
  scope: 'Cluster',
  verbs: ['get', 'list'],
  deprecation: 'v1 ComponentStatus is deprecated in v1.19+',
  strategy: strategyOf<ComponentStatus>({ namespaced: false }),
  columns: table<ComponentStatus>([
    nameColumn,
    column('Status', (object) => healthOf(object).status),
    column('Message', (object) => healthOf(object).message),
    column('Error', (object) => healthOf(object).error),
  ]),
  hasGeneration: false,
});
