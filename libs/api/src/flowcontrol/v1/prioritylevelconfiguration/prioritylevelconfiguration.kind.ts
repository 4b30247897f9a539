import type {
  LimitedPriorityLevelConfiguration,
  PriorityLevelConfiguration,
  QueuingConfiguration,
} from '../../../gen/types/flowcontrol.v1.js';
import { defineKind } from '../../../kind.js';
import { keepMetadata, statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';
import { validateFlowConditions } from '../flowschema/flowschema.validation.js';
import { validatePriorityLevel } from './prioritylevelconfiguration.validation.js';

function setLimitedDefaults(limited: LimitedPriorityLevelConfiguration): void {
  limited.nominalConcurrencyShares ??= 30;
  limited.lendablePercent ??= 0;
  const queuing = limited.limitResponse?.queuing;
  if (!queuing) return;
  queuing.handSize ||= 8;
  queuing.queues ||= 64;
  queuing.queueLengthLimit ||= 50;
}

const limited = ({ spec }: PriorityLevelConfiguration): LimitedPriorityLevelConfiguration =>
  spec?.limited ?? {};
const queuing = (object: PriorityLevelConfiguration): QueuingConfiguration =>
  limited(object).limitResponse?.queuing ?? {};

export const PriorityLevelConfigurationKind = defineKind<PriorityLevelConfiguration>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'PriorityLevelConfiguration',
  plural: 'prioritylevelconfigurations',
  scope: 'Cluster',
  setDefaults({ spec }) {
    if (spec?.limited) setLimitedDefaults(spec.limited);
    if (spec?.exempt) {
      spec.exempt.nominalConcurrencyShares ??= 0;
      spec.exempt.lendablePercent ??= 0;
    }
  },
  strategy: strategyOf<PriorityLevelConfiguration>({
    namespaced: false,
    ownsStatus: true,
    initialStatus: () => ({}),
    check: validatePriorityLevel,
  }),
  status: statusStrategyOf<PriorityLevelConfiguration>(
    ({ status }) => validateFlowConditions(status?.conditions),
    keepMetadata,
  ),
  columns: table<PriorityLevelConfiguration>([
    nameColumn,
    column('Type', ({ spec }) => spec?.type ?? ''),
    column(
      'NominalConcurrencyShares',
      (object) => limited(object).nominalConcurrencyShares ?? '<none>',
    ),
    column('Queues', (object) => queuing(object).queues ?? '<none>'),
    column('HandSize', (object) => queuing(object).handSize ?? '<none>'),
    column('QueueLengthLimit', (object) => queuing(object).queueLengthLimit ?? '<none>'),
    ageColumn,
  ]),
});
