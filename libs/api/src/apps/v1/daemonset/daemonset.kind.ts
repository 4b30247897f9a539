import type { FieldError } from '@orrery/apimachinery';
import { invalid, notSupported, required } from '@orrery/apimachinery';
import type { DaemonSet, DaemonSetUpdateStrategy } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { intOrPercentValue, notAboveAll, validateIntOrPercent } from '../../../meta/fields.js';
import { when } from '../../../meta/findings.js';
import { internalForm } from '../../../meta/internal-form.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import {
  fillTemplate,
  setPodTemplateDefaults,
} from '../../../core/v1/pod-template/pod-template.defaults.js';
import { formatLabels } from '../../../table/cells.js';
import {
  beginGeneration,
  defaultGeneration,
  keepGeneration,
  nextGeneration,
} from './template-generation.js';
import { ageColumn, column, count, nameColumn, table } from '../../../table/columns.js';
import { templateHooks } from '../workload/template-fields.js';
import {
  SPEC,
  containerColumns,
  selectorColumn,
  selectorIsFixed,
  validateWorkload,
  workloadWarnings,
} from '../workload/workload.js';
import { DAEMON_SET_COUNTS, validateCounts } from '../workload/workload-status.validation.js';

const template = templateHooks<DaemonSet>(({ spec }) => spec?.template);

/** k8s pkg/apis/apps/v1/defaults.go:SetDefaults_DaemonSet. */
export function setDaemonSetDefaults(set: DaemonSet): void {
  defaultGeneration(set);
  fillTemplate(set);
  const { spec, status } = set;
  if (status) {
    status.currentNumberScheduled ??= 0;
    status.desiredNumberScheduled ??= 0;
    status.numberMisscheduled ??= 0;
    status.numberReady ??= 0;
  }
  if (!spec) return;
  spec.updateStrategy ??= {};
  spec.updateStrategy.type ||= 'RollingUpdate';
  if (spec.updateStrategy.type === 'RollingUpdate') {
    spec.updateStrategy.rollingUpdate ??= {};
    spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1;
    spec.updateStrategy.rollingUpdate.maxSurge ??= 0;
  }
  spec.revisionHistoryLimit ??= 10;
  setPodTemplateDefaults(spec.template);
}

/** k8s pkg/apis/apps/validation/validation.go:ValidateDaemonSetUpdateStrategy. */
function validateStrategy(strategy: DaemonSetUpdateStrategy | undefined): FieldError[] {
  const path = SPEC.child('updateStrategy');
  const { type, rollingUpdate } = strategy ?? {};
  if (type === 'OnDelete') return [];
  if (type !== 'RollingUpdate') {
    const shown = internalForm(strategy ?? {}, 'apps/v1.DaemonSetUpdateStrategy');
    return [notSupported(path, shown, ['RollingUpdate', 'OnDelete'], 'as given')];
  }
  const at = path.child('rollingUpdate');
  if (!rollingUpdate) return [required(at)];
  const { maxUnavailable, maxSurge } = rollingUpdate;
  const unavailable = intOrPercentValue(maxUnavailable) !== 0;
  const surge = intOrPercentValue(maxSurge) !== 0;
  return [
    ...validateIntOrPercent(maxUnavailable, at.child('maxUnavailable')),
    ...validateIntOrPercent(maxSurge, at.child('maxSurge')),
    ...notAboveAll(maxUnavailable, at.child('maxUnavailable')),
    ...notAboveAll(maxSurge, at.child('maxSurge')),
    ...when(
      unavailable && surge,
      invalid(at.child('maxSurge'), maxSurge, 'may not be set when maxUnavailable is non-zero'),
    ),
    ...when(
      !unavailable && !surge,
      required(at.child('maxUnavailable'), 'cannot be 0 when maxSurge is 0'),
    ),
  ];
}

export const DaemonSetKind = defineKind<DaemonSet>({
  group: 'apps',
  version: 'v1',
  kind: 'DaemonSet',
  plural: 'daemonsets',
  shortNames: ['ds'],
  categories: ['all'],
  scope: 'Namespaced',
  setDefaults: setDaemonSetDefaults,
  strategy: strategyOf<DaemonSet>({
    prepareForCreate(object) {
      beginGeneration(object);
      template.prepareForCreate(object);
    },
    prepareForUpdate(object, old) {
      template.prepareForUpdate(object, old);
      nextGeneration(object, old);
    },
    namespaced: true,
    ownsStatus: true,
    initialStatus: () => ({
      currentNumberScheduled: 0,
      desiredNumberScheduled: 0,
      numberMisscheduled: 0,
      numberReady: 0,
    }),
    check: (object) => [
      ...validateWorkload(object, 'daemonset', 'DaemonSet'),
      ...validateStrategy(object.spec?.updateStrategy),
    ],
    checkUpdate: selectorIsFixed,
    warnings: workloadWarnings,
  }),
  status: statusStrategyOf<DaemonSet>(
    ({ status }, old) => validateCounts(status, old.status, DAEMON_SET_COUNTS),
    keepGeneration,
  ),
  columns: table<DaemonSet>([
    nameColumn,
    count('Desired', ({ status }) => status?.desiredNumberScheduled ?? 0),
    count('Current', ({ status }) => status?.currentNumberScheduled ?? 0),
    count('Ready', ({ status }) => status?.numberReady ?? 0),
    count('Up-to-date', ({ status }) => status?.updatedNumberScheduled ?? 0),
    count('Available', ({ status }) => status?.numberAvailable ?? 0),
    column('Node Selector', ({ spec }) => formatLabels(spec?.template?.spec?.nodeSelector)),
    ageColumn,
    ...containerColumns,
    selectorColumn,
  ]),
  hasGeneration: true,
});
