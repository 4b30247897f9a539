import type { ReplicaSet } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import {
  fillTemplate,
  setPodTemplateDefaults,
} from '../../../core/v1/pod-template/pod-template.defaults.js';
import { ageColumn, count, nameColumn, table } from '../../../table/columns.js';
import { templateHooks } from '../workload/template-fields.js';
import {
  containerColumns,
  selectorColumn,
  selectorIsFixed,
  validateWorkload,
  workloadScale,
  namedWorkloadWarnings,
} from '../workload/workload.js';
import { REPLICA_COUNTS, validateCounts } from '../workload/workload-status.validation.js';

/** k8s pkg/apis/apps/v1/defaults.go:SetDefaults_ReplicaSet. */
export function setReplicaSetDefaults(set: ReplicaSet): void {
  fillTemplate(set);
  const { spec, status } = set;
  if (status) status.replicas ??= 0;
  if (!spec) return;
  spec.replicas ??= 1;
  setPodTemplateDefaults(spec.template);
}

export const ReplicaSetKind = defineKind<ReplicaSet>({
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  plural: 'replicasets',
  shortNames: ['rs'],
  categories: ['all'],
  scope: 'Namespaced',
  setDefaults: setReplicaSetDefaults,
  strategy: strategyOf<ReplicaSet>({
    ...templateHooks(({ spec }) => spec?.template),
    namespaced: true,
    ownsStatus: true,
    initialStatus: () => ({ replicas: 0 }),
    check: (object) => validateWorkload(object, 'deployment', 'ReplicaSet'),
    checkUpdate: selectorIsFixed,
    warnings: namedWorkloadWarnings,
  }),
  status: statusStrategyOf<ReplicaSet>(({ status }, old) =>
    validateCounts(status, old.status, REPLICA_COUNTS),
  ),
  scale: workloadScale,
  columns: table<ReplicaSet>([
    nameColumn,
    count('Desired', ({ spec }) => spec?.replicas ?? 0),
    count('Current', ({ status }) => status?.replicas ?? 0),
    count('Ready', ({ status }) => status?.readyReplicas ?? 0),
    ageColumn,
    ...containerColumns,
    selectorColumn,
  ]),
  hasGeneration: true,
});
