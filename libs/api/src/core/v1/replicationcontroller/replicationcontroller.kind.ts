import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, required } from '@orrery/apimachinery';
import type { LabelSelector, ReplicationController } from '../../../types.js';
import {
  REPLICA_COUNTS,
  validateCounts,
} from '../../../apps/v1/workload/workload-status.validation.js';
import { defineKind } from '../../../kind.js';
import { nonNegative } from '../../../meta/fields.js';
import { when } from '../../../meta/findings.js';
import { entries, isDeepEqual } from '../../../meta/list.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import {
  containerImages,
  containerNames,
  formatLabels,
  selectorText,
} from '../../../table/cells.js';
import { ageColumn, count, nameColumn, table, wide } from '../../../table/columns.js';
import { podWarnings } from '../pod-warnings/pod-warnings.js';
import { dropDisabledFields } from '../pod-template/disabled-fields.js';
import { setPodTemplateDefaults } from '../pod-template/pod-template.defaults.js';
import { validateWorkloadTemplate } from '../pod-template/pod-template.validation.js';

const SPEC = FieldPath.of('spec');

const selectorOf = (controller: ReplicationController): LabelSelector => ({
  matchLabels: controller.spec?.selector ?? {},
});

/** k8s pkg/apis/core/v1/defaults.go:SetDefaults_ReplicationController. */
export function setReplicationControllerDefaults(controller: ReplicationController): void {
  const { spec, metadata, status } = controller;
  if (status) status.replicas ??= 0;
  if (!spec) return;
  const labels = spec.template?.metadata?.labels;
  if (labels) {
    if (entries(spec.selector).length === 0) spec.selector = { ...labels };
    if (entries(metadata.labels).length === 0) metadata.labels = { ...labels };
  }
  spec.replicas ??= 1;
  setPodTemplateDefaults(spec.template);
}

function validate(controller: ReplicationController): FieldError[] {
  const { spec } = controller;
  return [
    ...nonNegative(spec?.minReadySeconds, SPEC.child('minReadySeconds')),
    ...nonNegative(spec?.replicas, SPEC.child('replicas')),
    ...when(entries(spec?.selector).length === 0, required(SPEC.child('selector'))),
    ...validateWorkloadTemplate(
      spec?.template,
      selectorOf(controller),
      SPEC.child('template'),
      'ReplicationController',
    ),
  ];
}

export const ReplicationControllerKind = defineKind<ReplicationController>({
  group: '',
  version: 'v1',
  kind: 'ReplicationController',
  plural: 'replicationcontrollers',
  shortNames: ['rc'],
  categories: ['all'],
  scope: 'Namespaced',
  storagePrefix: 'controllers',
  setDefaults: setReplicationControllerDefaults,
  // As clients of old expect (k8s pkg/registry/core/replicationcontroller/strategy.go:DefaultGarbageCollectionPolicy).
  garbage: { byDefault: 'Orphan' },
  strategy: strategyOf<ReplicationController>({
    namespaced: true,
    ownsStatus: true,
    initialStatus: () => ({ replicas: 0 }),
    prepareForCreate: ({ spec }) => dropDisabledFields(spec?.template?.spec),
    prepareForUpdate: ({ spec }, old) =>
      dropDisabledFields(spec?.template?.spec, old.spec?.template?.spec),
    check: validate,
    warnings: ({ spec }, old) =>
      old && isDeepEqual(spec, old.spec) ? [] : podWarnings(spec?.template, SPEC.child('template')),
  }),
  status: statusStrategyOf<ReplicationController>(({ status }, old) =>
    validateCounts(status, old.status, REPLICA_COUNTS),
  ),
  scale: {
    get: (controller) => ({
      replicas: controller.spec?.replicas ?? 0,
      statusReplicas: controller.status?.replicas ?? 0,
      selector: selectorText(selectorOf(controller)),
    }),
    set(controller, replicas) {
      controller.spec.replicas = replicas;
    },
  },
  selectableFields: ({ status }) => ({ 'status.replicas': String(status?.replicas ?? 0) }),
  columns: table<ReplicationController>([
    nameColumn,
    count('Desired', ({ spec }) => spec?.replicas ?? 0),
    count('Current', ({ status }) => status?.replicas ?? 0),
    count('Ready', ({ status }) => status?.readyReplicas ?? 0),
    ageColumn,
    wide('Containers', ({ spec }) => containerNames(spec?.template)),
    wide('Images', ({ spec }) => containerImages(spec?.template)),
    wide('Selector', ({ spec }) => formatLabels(spec?.selector)),
  ]),
  hasGeneration: true,
});
