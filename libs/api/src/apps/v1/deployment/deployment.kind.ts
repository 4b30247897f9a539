import type { FieldError } from '@orrery/apimachinery';
import { forbidden, invalid } from '@orrery/apimachinery';
import type { Deployment, DeploymentStrategy } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { oneOf, scaledValue, validateIntOrPercent } from '../../../meta/fields.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { setPodTemplateDefaults } from '../../../core/v1/pod-template/pod-template.defaults.js';
import { ageColumn, column, count, nameColumn, table } from '../../../table/columns.js';
import {
  SPEC,
  containerColumns,
  selectorColumn,
  selectorIsFixed,
  validateWorkload,
  workloadScale,
} from '../workload/workload.js';

const DEFAULT_ROLLING = '25%';
const MAX_INT32 = 2 ** 31 - 1;

/** k8s pkg/apis/apps/v1/defaults.go:SetDefaults_Deployment. */
export function setDeploymentDefaults({ spec }: Deployment): void {
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
    return rollingUpdate
      ? [forbidden(rolling, "may not be specified when strategy `type` is 'Recreate'")]
      : [];
  }
  const findings = oneOf(type, ['Recreate', 'RollingUpdate'], path.child('type'));
  if (!rollingUpdate) return findings;
  const { maxSurge, maxUnavailable } = rollingUpdate;
  const unavailable = scaledValue(maxUnavailable, 100);
  return [
    ...findings,
    ...validateIntOrPercent(maxUnavailable, rolling.child('maxUnavailable')),
    ...validateIntOrPercent(maxSurge, rolling.child('maxSurge')),
    ...(unavailable === 0 && scaledValue(maxSurge, 100) === 0
      ? [
          invalid(
            rolling.child('maxUnavailable'),
            maxUnavailable,
            'may not be 0 when `maxSurge` is 0',
          ),
        ]
      : []),
    ...(typeof maxUnavailable === 'string' && unavailable > 100
      ? [invalid(rolling.child('maxUnavailable'), maxUnavailable, 'must not be greater than 100%')]
      : []),
  ];
}

/** k8s pkg/apis/apps/validation/validation.go:ValidateDeploymentSpec. */
export function validateDeployment(deployment: Deployment): FieldError[] {
  const { spec } = deployment;
  const deadline = spec?.progressDeadlineSeconds ?? MAX_INT32;
  return [
    ...validateWorkload(deployment, 'deployment'),
    ...validateStrategy(spec?.strategy),
    ...(deadline < 0
      ? [
          invalid(
            SPEC.child('progressDeadlineSeconds'),
            deadline,
            'must be greater than or equal to 0',
          ),
        ]
      : []),
    ...(deadline <= (spec?.minReadySeconds ?? 0)
      ? [
          invalid(
            SPEC.child('progressDeadlineSeconds'),
            deadline,
            'must be greater than minReadySeconds',
          ),
        ]
      : []),
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
    namespaced: true,
    ownsStatus: true,
    initialStatus: () => ({}),
    check: validateDeployment,
    checkUpdate: selectorIsFixed,
  }),
  status: statusStrategyOf<Deployment>(),
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
});
