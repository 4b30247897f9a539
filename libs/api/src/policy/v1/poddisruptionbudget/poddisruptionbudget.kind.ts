import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, invalid } from '@orrery/apimachinery';
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { validateConditions } from '../../../meta/conditions.js';
import { nonNegative, scaledValue, supported, validateIntOrPercent } from '../../../meta/fields.js';
import { validateLabelSelector } from '../../../meta/label-selector.js';
import { pathSegment } from '../../../meta/names.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, count, nameColumn, table } from '../../../table/columns.js';

const SPEC = FieldPath.of('spec');
const STATUS = FieldPath.of('status');
const COUNTS = ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const;

function validateAmount(
  field: 'minAvailable' | 'maxUnavailable',
  object: PodDisruptionBudget,
): FieldError[] {
  const value = object.spec?.[field] ?? undefined;
  const path = SPEC.child(field);
  if (value === undefined) return [];
  return [
    ...validateIntOrPercent(value, path),
    ...(typeof value === 'string' && scaledValue(value, 100) > 100
      ? [invalid(path, value, 'must not be greater than 100%')]
      : []),
  ];
}

/** As upstream's internal type prints. */
const shownSpec = (spec: PodDisruptionBudget['spec']): object => ({
  MinAvailable: spec?.minAvailable ?? null,
  Selector: spec?.selector ?? null,
  MaxUnavailable: spec?.maxUnavailable ?? null,
  UnhealthyPodEvictionPolicy: spec?.unhealthyPodEvictionPolicy ?? null,
});

/** k8s pkg/apis/policy/validation/validation.go:ValidatePodDisruptionBudgetSpec; `old` of an update. */
function validate(object: PodDisruptionBudget, old?: PodDisruptionBudget): FieldError[] {
  const { spec } = object;
  const hasOddSelector = validateLabelSelector(old?.spec?.selector, SPEC).length > 0;
  const both =
    (spec?.minAvailable ?? undefined) !== undefined &&
    (spec?.maxUnavailable ?? undefined) !== undefined;
  return [
    ...(both
      ? [invalid(SPEC, shownSpec(spec), 'minAvailable and maxUnavailable cannot be both set')]
      : []),
    ...validateAmount('minAvailable', object),
    ...validateAmount('maxUnavailable', object),
    ...validateLabelSelector(spec?.selector, SPEC.child('selector'), hasOddSelector),
    ...supported(
      spec?.unhealthyPodEvictionPolicy,
      ['AlwaysAllow', 'IfHealthyBudget'],
      SPEC.child('unhealthyPodEvictionPolicy'),
    ),
  ];
}

const emptyStatus = (): PodDisruptionBudgetStatus => ({
  currentHealthy: 0,
  desiredHealthy: 0,
  disruptionsAllowed: 0,
  expectedPods: 0,
});

export const PodDisruptionBudgetKind = defineKind<PodDisruptionBudget>({
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  shortNames: ['pdb'],
  scope: 'Namespaced',
  setDefaults(object) {
    object.spec ??= {};
    if (object.status) for (const field of COUNTS) object.status[field] ??= 0;
  },
  strategy: strategyOf<PodDisruptionBudget>({
    namespaced: true,
    // ValidatePodDisruptionBudget says nothing of metadata (k8s pkg/apis/policy/validation/validation.go).
    name: pathSegment,
    ownsStatus: true,
    allowUnconditionalUpdate: false,
    initialStatus: emptyStatus,
    checkCreate: (object) => validate(object),
    checkUpdate: validate,
  }),
  status: statusStrategyOf<PodDisruptionBudget>(({ status }) => [
    ...validateConditions(status?.conditions, STATUS.child('conditions')),
    ...COUNTS.flatMap((field) => nonNegative(status?.[field], STATUS.child(field))),
  ]),
  columns: table<PodDisruptionBudget>([
    nameColumn,
    column('Min Available', ({ spec }) => String(spec?.minAvailable ?? 'N/A')),
    column('Max Unavailable', ({ spec }) => String(spec?.maxUnavailable ?? 'N/A')),
    count('Allowed Disruptions', ({ status }) => status?.disruptionsAllowed ?? 0),
    ageColumn,
  ]),
  hasGeneration: true,
});
