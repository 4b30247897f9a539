import type { FieldError } from '@orrery/apimachinery';
import { forbidden, invalid, notSupported, required } from '@orrery/apimachinery';
import type { Deployment, DeploymentStrategy } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import {
  nonNegative,
  notAboveAll,
  intOrPercentValue,
  validateIntOrPercent,
} from '../../../meta/fields.js';
import { given, when } from '../../../meta/findings.js';
import { internalForm } from '../../../meta/internal-form.js';
import { keepMetadata, statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import {
  fillTemplate,
  setPodTemplateDefaults,
} from '../../../core/v1/pod-template/pod-template.defaults.js';
import { ageColumn, column, count, nameColumn, table } from '../../../table/columns.js';
import { templateHooks } from '../workload/template-fields.js';
import {
  SPEC,
  containerColumns,
  selectorColumn,
  selectorIsFixed,
  validateWorkload,
  workloadScale,
  namedWorkloadWarnings,
} from '../workload/workload.js';
import { DEPLOYMENT_COUNTS, validateCounts } from '../workload/workload-status.validation.js';

const DEFAULT_ROLLING = '25%';

/** k8s pkg/apis/apps/v1/defaults.go:SetDefaults_Deployment. */
export function setDeploymentDefaults(deployment: Deployment): void {
  fillTemplate(deployment);
  const { spec } = deployment;
  if (!spec) return;
  spec.replicas ??= 1;
  spec.strategy ??= {};
  spec.strategy.type ||= 'RollingUpdate';
  if (spec.strategy.type === 'RollingUpdate') {
    spec.strategy.rollingUpdate ??= {};
    spec.strategy.rollingUpdate.maxUnavailable ??= DEFAULT_ROLLING;
    spec.strategy.rollingUpdate.maxSurge ??= DEFAULT_ROLLING;
  }
  spec.revisionHistoryLimit ??= 10;
  spec.progressDeadlineSeconds ??= 600;
  setPodTemplateDefaults(spec.template);
}

function validateStrategy(strategy: DeploymentStrategy | undefined): FieldError[] {
  const path = SPEC.child('strategy');
  const rolling = path.child('rollingUpdate');
  const { type, rollingUpdate } = strategy ?? {};
  if (type === 'Recreate') {
    const text = "may not be specified when strategy `type` is 'Recreate'";
    return when(Boolean(rollingUpdate), forbidden(rolling, text));
  }
  if (type !== 'RollingUpdate') {
    const shown = internalForm(strategy ?? {}, 'apps/v1.DeploymentStrategy');
    return [notSupported(path, shown, ['Recreate', 'RollingUpdate'])];
  }
  if (!rollingUpdate) return [required(rolling, 'this should be defaulted and never be nil')];
  const { maxSurge, maxUnavailable } = rollingUpdate;
  const at = rolling.child('maxUnavailable');
  const isStuck = intOrPercentValue(maxUnavailable) === 0 && intOrPercentValue(maxSurge) === 0;
  return [
    ...validateIntOrPercent(maxUnavailable, at),
    ...validateIntOrPercent(maxSurge, rolling.child('maxSurge')),
    ...when(isStuck, invalid(at, maxUnavailable, 'may not be 0 when `maxSurge` is 0')),
    ...notAboveAll(maxUnavailable, at),
  ];
}

/** k8s pkg/apis/apps/validation/validation.go:ValidateDeploymentSpec. */
export function validateDeployment(deployment: Deployment): FieldError[] {
  const { spec } = deployment;
  const path = SPEC.child('progressDeadlineSeconds');
  return [
    ...validateWorkload(deployment, 'deployment', 'ReplicaSet'),
    ...validateStrategy(spec?.strategy),
    ...given(spec?.progressDeadlineSeconds, (seconds) => [
      ...nonNegative(seconds, path),
      ...when(
        seconds <= (spec?.minReadySeconds ?? 0),
        invalid(path, seconds, 'must be greater than minReadySeconds'),
      ),
    ]),
  ];
}

export const DeploymentKind = defineKind<Deployment>({
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  shortNames: ['deploy'],
  categories: ['all'],
  scope: 'Namespaced',
  setDefaults: setDeploymentDefaults,
  strategy: strategyOf<Deployment>({
    ...templateHooks(({ spec }) => spec?.template),
    namespaced: true,
    ownsStatus: true,
    initialStatus: () => ({}),
    check: validateDeployment,
    checkUpdate: selectorIsFixed,
    warnings: namedWorkloadWarnings,
  }),
  status: statusStrategyOf<Deployment>(
    ({ status }, old) => validateCounts(status, old.status, DEPLOYMENT_COUNTS),
    (deployment, old) => keepMetadata(deployment, old, ['labels']),
  ),
  scale: workloadScale,
  columns: table<Deployment>([
    nameColumn,
    column('Ready', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`),
    count('Up-to-date', ({ status }) => status?.updatedReplicas ?? 0),
    count('Available', ({ status }) => status?.availableReplicas ?? 0),
    ageColumn,
    ...containerColumns,
    selectorColumn,
  ]),
  hasGeneration: true,
  countsAnnotations: true,
});
