import type { FieldError } from '@orrery/apimachinery';
import { forbidden, invalid } from '@orrery/apimachinery';
import type { StatefulSet, StatefulSetSpec } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { nonNegative, oneOf } from '../../../meta/fields.js';
import { isDeepEqual, list } from '../../../meta/list.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { setPodTemplateDefaults } from '../../../core/v1/pod-template/pod-template.defaults.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';
import { SPEC, containerColumns, validateWorkload, workloadScale } from '../workload/workload.js';

/** Fields of the spec that an update may change, in the order of upstream's message. */
const MUTABLE = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
] as const;

const FIXED_MESSAGE =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";

function setUpdateDefaults(spec: StatefulSetSpec): void {
  spec.updateStrategy ??= {};
  spec.updateStrategy.type ||= 'RollingUpdate';
  if (spec.updateStrategy.type !== 'RollingUpdate') return;
  spec.updateStrategy.rollingUpdate ??= {};
  spec.updateStrategy.rollingUpdate.partition ??= 0;
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
export function setStatefulSetDefaults({ spec, status }: StatefulSet): void {
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

/** The set as its pods will see it: claim templates are volumes that containers may mount. */
function withClaimVolumes(object: StatefulSet): StatefulSet {
  const { spec } = object;
  const claims = list(spec?.volumeClaimTemplates).flatMap(({ metadata }) => metadata?.name ?? []);
  if (!spec?.template?.spec || claims.length === 0) return object;
  const own = list(spec.template.spec.volumes).filter(({ name }) => !claims.includes(name));
  const volumes = claims.map((name) => ({ name, persistentVolumeClaim: { claimName: name } }));
  const pod = { ...spec.template.spec, volumes: [...own, ...volumes] };
  return { ...object, spec: { ...spec, template: { ...spec.template, spec: pod } } };
}

function validate(object: StatefulSet): FieldError[] {
  const spec = object.spec ?? ({} as StatefulSetSpec);
  const { updateStrategy: strategy } = spec;
  const at = SPEC.child('updateStrategy');
  return [
    ...validateWorkload(withClaimVolumes(object), 'statefulset'),
    ...oneOf(
      spec.podManagementPolicy,
      ['OrderedReady', 'Parallel'],
      SPEC.child('podManagementPolicy'),
    ),
    ...oneOf(strategy?.type, ['RollingUpdate', 'OnDelete'], at.child('type')),
    ...(strategy?.type === 'OnDelete' && strategy.rollingUpdate
      ? [
          invalid(
            at.child('rollingUpdate'),
            strategy.rollingUpdate,
            "only allowed for updateStrategy 'RollingUpdate'",
          ),
        ]
      : []),
    ...nonNegative(strategy?.rollingUpdate?.partition, at.child('rollingUpdate', 'partition')),
    ...nonNegative(spec.ordinals?.start, SPEC.child('ordinals', 'start')),
  ];
}

function validateUpdate(object: StatefulSet, old: StatefulSet): FieldError[] {
  const before = (old.spec ?? {}) as unknown as Record<string, unknown>;
  const now: Record<string, unknown> = { ...object.spec };
  for (const field of MUTABLE) now[field] = before[field];
  return isDeepEqual(now, before) ? [] : [forbidden(SPEC, FIXED_MESSAGE)];
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
    namespaced: true,
    ownsStatus: true,
    initialStatus: () => ({ replicas: 0, availableReplicas: 0 }),
    check: validate,
    checkUpdate: validateUpdate,
  }),
  status: statusStrategyOf<StatefulSet>(),
  scale: workloadScale,
  columns: table<StatefulSet>([
    nameColumn,
    column('Ready', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`),
    ageColumn,
    ...containerColumns,
  ]),
  hasGeneration: true,
});
