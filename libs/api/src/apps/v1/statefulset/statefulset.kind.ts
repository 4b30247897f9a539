import type { StatefulSet, StatefulSetSpec } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { list } from '../../../meta/list.js';
import { dnsLabel } from '../../../meta/names.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import {
  fillTemplate,
  setPodTemplateDefaults,
} from '../../../core/v1/pod-template/pod-template.defaults.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';
import { claimWarnings } from '../../../core/v1/pod-warnings/volume-warnings.js';
import { templateHooks } from '../workload/template-fields.js';
import { SPEC, containerColumns, workloadScale, workloadWarnings } from '../workload/workload.js';
import { STATEFUL_SET_COUNTS, validateCounts } from '../workload/workload-status.validation.js';
import { validateStatefulSet, validateStatefulSetUpdate } from './statefulset.validation.js';

function setUpdateDefaults(spec: StatefulSetSpec): void {
  spec.updateStrategy ??= {};
  spec.updateStrategy.type ||= 'RollingUpdate';
  if (spec.updateStrategy.type !== 'RollingUpdate') return;
  spec.updateStrategy.rollingUpdate ??= {};
  spec.updateStrategy.rollingUpdate.partition ??= 0;
  spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1;
}

function setClaimDefaults(spec: StatefulSetSpec): void {
  for (const claim of list(spec.volumeClaimTemplates)) {
    claim.apiVersion ??= 'v1';
    claim.kind ??= 'PersistentVolumeClaim';
    if (claim.spec) claim.spec.volumeMode ??= 'Filesystem';
    claim.status ??= {};
    claim.status.phase ??= 'Pending';
  }
}

/** k8s pkg/apis/apps/v1/defaults.go:SetDefaults_StatefulSet. */
export function setStatefulSetDefaults(set: StatefulSet): void {
  fillTemplate(set);
  const { spec, status } = set;
  if (status) {
    status.replicas ??= 0;
    status.availableReplicas ??= 0;
  }
  if (!spec) return;
  spec.podManagementPolicy ||= 'OrderedReady';
  setUpdateDefaults(spec);
  spec.persistentVolumeClaimRetentionPolicy ??= {};
  spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= 'Retain';
  spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= 'Retain';
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= 10;
  setClaimDefaults(spec);
  setPodTemplateDefaults(spec.template);
}

const ALL_REVISIONS =
  'spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended';

/** k8s pkg/registry/apps/statefulset/strategy.go:WarningsOnCreate, WarningsOnUpdate. */
function statefulSetWarnings(set: StatefulSet, old?: StatefulSet): string[] {
  const { spec } = set;
  const claims = SPEC.child('volumeClaimTemplates');
  return [
    ...workloadWarnings(set, old),
    // Upstream names the claim otherwise once there is an old one.
    ...list(spec?.volumeClaimTemplates).flatMap((claim, i) =>
      claimWarnings(claim.spec, old ? claims.index(i).child('Spec') : claims.index(i)),
    ),
    ...((spec?.revisionHistoryLimit ?? 0) < 0 ? [ALL_REVISIONS] : []),
  ];
}

export const StatefulSetKind = defineKind<StatefulSet>({
  group: 'apps',
  version: 'v1',
  kind: 'StatefulSet',
  plural: 'statefulsets',
  shortNames: ['sts'],
  categories: ['all'],
  scope: 'Namespaced',
  setDefaults: setStatefulSetDefaults,
  strategy: strategyOf<StatefulSet>({
    ...templateHooks(({ spec }) => spec?.template),
    namespaced: true,
    // The pods' host names are the set's with a number.
    name: dnsLabel,
    ownsStatus: true,
    initialStatus: () => ({ replicas: 0, availableReplicas: 0 }),
    checkCreate: (set) => validateStatefulSet(set),
    checkUpdate: validateStatefulSetUpdate,
    warnings: statefulSetWarnings,
  }),
  status: statusStrategyOf<StatefulSet>(({ status }, old) =>
    validateCounts(status, old.status, STATEFUL_SET_COUNTS),
  ),
  scale: workloadScale,
  columns: table<StatefulSet>([
    nameColumn,
    column('Ready', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`),
    ageColumn,
    ...containerColumns,
  ]),
  hasGeneration: true,
});
