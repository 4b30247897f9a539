import type { FlowSchema } from '../../../gen/types/flowcontrol.v1.js';
import { defineKind } from '../../../kind.js';
import { list } from '../../../meta/list.js';
import { keepMetadata, statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';
import { validateFlowConditions, validateFlowSchema } from './flowschema.validation.js';

const DEFAULT_PRECEDENCE = 1000;

export const FlowSchemaKind = defineKind<FlowSchema>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'FlowSchema',
  plural: 'flowschemas',
  scope: 'Cluster',
  setDefaults({ spec }) {
    if (spec) spec.matchingPrecedence ||= DEFAULT_PRECEDENCE;
  },
  strategy: strategyOf<FlowSchema>({
    namespaced: false,
    ownsStatus: true,
    initialStatus: () => ({}),
    check: validateFlowSchema,
  }),
  status: statusStrategyOf<FlowSchema>(
    ({ status }) => validateFlowConditions(status?.conditions),
    keepMetadata,
  ),
  columns: table<FlowSchema>([
    nameColumn,
    column('PriorityLevel', ({ spec }) => spec?.priorityLevelConfiguration?.name ?? ''),
    column('MatchingPrecedence', ({ spec }) => spec?.matchingPrecedence ?? 0),
    column('DistinguisherMethod', ({ spec }) => spec?.distinguisherMethod?.type ?? '<none>'),
    ageColumn,
    column(
      'MissingPL',
      ({ status }) =>
        list(status?.conditions).find(({ type }) => type === 'Dangling')?.status ?? '?',
    ),
  ]),
});
