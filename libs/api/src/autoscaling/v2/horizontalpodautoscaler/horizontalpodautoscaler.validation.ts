import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { FieldPath, forbidden, invalid, notSupported, required } from '@orrery/apimachinery';
import type {
  CrossVersionObjectReference,
  HPAScalingRules,
  HorizontalPodAutoscaler,
  MetricIdentifier,
  MetricSpec,
  MetricTarget,
} from '../../../gen/types/autoscaling.v2.js';
import { NOT_NEGATIVE, nonNegative, supported } from '../../../meta/fields.js';
import { given, when } from '../../../meta/findings.js';
import { eachOf, list } from '../../../meta/list.js';
import { check, dnsLabel, pathSegment } from '../../../meta/names.js';
import { canonicalAmount, compareAmounts } from '../../../meta/quantity.js';
import { containerResourceName } from '../../../core/v1/pod-spec/resources.validation.js';

const SPEC = FieldPath.of('spec');
const STATUS = FieldPath.of('status');
const TARGET_TYPES = ['Utilization', 'Value', 'AverageValue'];
const MAX_WINDOW_SECONDS = 3600;
const MAX_PERIOD_SECONDS = 1800;

const named = (name: string | undefined, path: Path, detail?: string): FieldError[] =>
  name ? check(pathSegment, name, path) : [required(path, detail)];

/** What is let pass of a reference's apiVersion. */
interface Reference {
  /** True where the core group is meant, which has no name. */
  readonly mayBeCore: boolean;
  /** True where it is wrong already and does not change. */
  readonly mayBeWrong?: boolean;
}

/** k8s pkg/apis/autoscaling/validation/validation.go:ValidateAPIVersion. */
function versionProblem(version: string, { mayBeCore, mayBeWrong }: Reference): string | undefined {
  if (mayBeWrong) return undefined;
  const parts = version === '/' ? [] : version.split('/');
  if (parts.length > 2) return `unexpected GroupVersion string: ${version}`;
  const hasGroup = parts.length === 2 && parts[0] !== '';
  return hasGroup || mayBeCore ? undefined : 'apiVersion must specify API group';
}

const validateReference = (
  ref: CrossVersionObjectReference | undefined,
  path: Path,
  rules: Reference,
): FieldError[] => [
  ...named(ref?.kind, path.child('kind')),
  ...named(ref?.name, path.child('name')),
  ...given(versionProblem(String(ref?.apiVersion ?? ''), rules), (problem) => [
    invalid(path.child('apiVersion'), ref?.apiVersion ?? '', problem),
  ]),
];

/** Metrics that there are when there is no pod. */
const WITHOUT_PODS: ReadonlySet<string> = new Set(['External', 'Object']);
const ONE_WITHOUT_PODS =
  'must specify at least one Object or External metric to support scaling to zero replicas';

/** k8s pkg/apis/autoscaling/validation/validation.go:validateMetricTarget. */
function validateTarget(target: MetricTarget | undefined, path: Path): FieldError[] {
  const { type = '', averageUtilization, averageValue, value } = target ?? {};
  const at = path.child('type');
  const positive = (amount: string | undefined, field: string): FieldError[] =>
    given(amount, (text) =>
      compareAmounts(text, '0') > 0
        ? []
        : [invalid(path.child(field), canonicalAmount(text), 'must be positive')],
    );
  return [
    ...when(type === '', required(at, 'must specify a metric target type')),
    ...when(
      !TARGET_TYPES.includes(type),
      invalid(at, type, 'must be either Utilization, Value, or AverageValue'),
    ),
    ...positive(value, 'value'),
    ...positive(averageValue, 'averageValue'),
    ...given(averageUtilization, (percent) =>
      when(
        percent < 1,
        invalid(path.child('averageUtilization'), percent, 'must be greater than 0'),
      ),
    ),
  ];
}

const validateIdentifier = (metric: MetricIdentifier | undefined, path: Path): FieldError[] =>
  named(metric?.name, path.child('name'), 'must specify a metric name');

const has = (value: unknown): boolean => value !== undefined && value !== null;

/** A target by an amount or by a share of what is requested, but not by both. */
function rawOrUtilization(target: MetricTarget | undefined, path: Path): FieldError[] {
  const { averageUtilization, averageValue } = target ?? {};
  const neither = 'must set either a target raw value or a target utilization';
  const both = 'may not set both a target raw value and a target utilization';
  return [
    ...validateTarget(target, path),
    ...when(
      !has(averageUtilization) && !has(averageValue),
      required(path.child('averageUtilization'), neither),
    ),
    ...when(
      has(averageUtilization) && has(averageValue),
      forbidden(path.child('averageValue'), both),
    ),
  ];
}

type Sources = {
  [Field in Exclude<keyof MetricSpec, 'type'>]-?: (
    source: NonNullable<MetricSpec[Field]>,
    path: Path,
    objects: Reference,
  ) => FieldError[];
};

/** The rules of each source, in the order in which upstream looks at them. */
const SOURCES: Sources = {
  object: ({ describedObject, metric, target }, path, objects) => [
    ...validateReference(describedObject, path.child('describedObject'), objects),
    ...validateIdentifier(metric, path.child('metric')),
    ...validateTarget(target, path.child('target')),
    ...when(
      !has(target?.value) && !has(target?.averageValue),
      required(
        path.child('target', 'averageValue'),
        'must set either a target value or averageValue',
      ),
    ),
  ],
  external: ({ metric, target }, path) => [
    ...validateIdentifier(metric, path.child('metric')),
    ...validateTarget(target, path.child('target')),
    ...when(
      !has(target?.value) && !has(target?.averageValue),
      required(
        path.child('target', 'averageValue'),
        'must set either a target value for metric or a per-pod target',
      ),
    ),
    ...when(
      has(target?.value) && has(target?.averageValue),
      forbidden(
        path.child('target', 'value'),
        'may not set both a target value for metric and a per-pod target',
      ),
    ),
  ],
  pods: ({ metric, target }, path) => [
    ...validateIdentifier(metric, path.child('metric')),
    ...validateTarget(target, path.child('target')),
    ...when(
      !has(target?.averageValue),
      required(path.child('target', 'averageValue'), 'must specify a positive target averageValue'),
    ),
  ],
  resource: ({ name, target }, path) => [
    ...when(!name, required(path.child('name'), 'must specify a resource name')),
    ...rawOrUtilization(target, path.child('target')),
  ],
  containerResource: ({ name, container, target }, path) => [
    ...(name
      ? containerResourceName(name, path.child('name'))
      : [required(path.child('name'), 'must specify a resource name')]),
    ...(container
      ? check(dnsLabel, container, path.child('container'))
      : [required(path.child('container'), 'must specify a container')]),
    ...rawOrUtilization(target, path.child('target')),
  ],
};

type SourceField = keyof Sources;

const FIELDS: Readonly<Record<string, SourceField>> = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
};
const TYPES = Object.keys(FIELDS);

function validateSource(
  metric: MetricSpec,
  field: SourceField,
  path: Path,
  objects: Reference,
): FieldError[] {
  const source = metric[field];
  const rules = SOURCES[field] as (source: unknown, path: Path, objects: Reference) => FieldError[];
  return source ? rules(source, path.child(field), objects) : [];
}

/** k8s pkg/apis/autoscaling/validation/validation.go:validateMetricSpec. */
function validateMetric(metric: MetricSpec, path: Path, objects: Reference): FieldError[] {
  const type = String(metric.type ?? '');
  const at = path.child('type');
  const present = (Object.keys(SOURCES) as SourceField[]).filter((field) => has(metric[field]));
  const [first] = present;
  const expected = Object.hasOwn(FIELDS, type) ? FIELDS[type] : undefined;
  const unknown = notSupported(at, type, TYPES);
  const others = present.length === 1 ? [] : present.filter((field) => field !== expected);
  return [
    ...when(type === '', required(at, 'must specify a metric source type')),
    ...(expected ? [] : [unknown]),
    ...(first ? validateSource(metric, first, path, objects) : []),
    ...(expected
      ? when(
          !has(metric[expected]),
          required(path.child(expected), 'must populate information for the given metric source'),
        )
      : [unknown]),
    ...others.map((field) =>
      forbidden(path.child(field), 'must populate the given metric source only'),
    ),
  ];
}

/** k8s pkg/apis/autoscaling/validation/validation.go:validateScalingRules. */
function validateRules(rules: HPAScalingRules | undefined, path: Path): FieldError[] {
  if (!rules) return [];
  const window = path.child('stabilizationWindowSeconds');
  const policies = path.child('policies');
  return [
    ...given(rules.stabilizationWindowSeconds, (seconds) => [
      ...when(seconds < 0, invalid(window, seconds, 'must be greater than or equal to zero')),
      ...when(
        seconds > MAX_WINDOW_SECONDS,
        invalid(window, seconds, `must be less than or equal to ${MAX_WINDOW_SECONDS}`),
      ),
    ]),
    ...supported(rules.selectPolicy, ['Disabled', 'Max', 'Min'], path.child('selectPolicy')),
    ...when(
      list(rules.policies).length === 0,
      required(policies, 'must specify at least one Policy'),
    ),
    ...eachOf(rules.policies, (policy, i) => {
      const { type } = policy;
      const value = Number(policy.value ?? 0);
      const periodSeconds = Number(policy.periodSeconds ?? 0);
      const at = policies.index(i);
      const period = at.child('periodSeconds');
      return [
        ...(['Percent', 'Pods'].includes(type)
          ? []
          : [notSupported(at.child('type'), type ?? '', ['Percent', 'Pods'])]),
        ...when(value <= 0, invalid(at.child('value'), value, 'must be greater than zero')),
        ...when(periodSeconds <= 0, invalid(period, periodSeconds, 'must be greater than zero')),
        ...when(
          periodSeconds > MAX_PERIOD_SECONDS,
          invalid(period, periodSeconds, `must be less than or equal to ${MAX_PERIOD_SECONDS}`),
        ),
      ];
    }),
    ...given(rules.tolerance, (share) =>
      compareAmounts(share, '0') < 0
        ? [invalid(path.child('tolerance'), canonicalAmount(share), NOT_NEGATIVE)]
        : [],
    ),
  ];
}

/** What an update lets pass (k8s pkg/registry/autoscaling/horizontalpodautoscaler/strategy.go:validationOptionsFor…). */
interface Leniency {
  readonly least: number;
  readonly target: Reference;
  readonly objects: Reference;
}

/** References to any object may be to one of the core group. */
const OBJECTS: Reference = { mayBeCore: true };

const hasWrongObject = (old: HorizontalPodAutoscaler | undefined): boolean =>
  list(old?.spec?.metrics).some(
    ({ type, object }) =>
      type === 'Object' &&
      object !== undefined &&
      versionProblem(String(object.describedObject?.apiVersion ?? ''), OBJECTS) !== undefined,
  );

const isSameTarget = (
  target: CrossVersionObjectReference | undefined,
  old: CrossVersionObjectReference | undefined,
): boolean => target?.apiVersion === old?.apiVersion && target?.kind === old?.kind;

const leniencyOf = (
  { spec }: HorizontalPodAutoscaler,
  old?: HorizontalPodAutoscaler,
): Leniency => ({
  least: old?.spec?.minReplicas === 0 ? 0 : 1,
  target: {
    // ReplicationControllers alone are of the core group and can be scaled.
    mayBeCore: spec?.scaleTargetRef?.kind === 'ReplicationController',
    mayBeWrong: old !== undefined && isSameTarget(spec?.scaleTargetRef, old.spec?.scaleTargetRef),
  },
  objects: { ...OBJECTS, mayBeWrong: hasWrongObject(old) },
});

/** k8s pkg/apis/autoscaling/validation/validation.go:validateHorizontalPodAutoscalerSpec; `old` of an update. */
export function validateHorizontalPodAutoscaler(
  autoscaler: HorizontalPodAutoscaler,
  old?: HorizontalPodAutoscaler,
): FieldError[] {
  const { spec } = autoscaler;
  const { least, target, objects } = leniencyOf(autoscaler, old);
  const min = spec?.minReplicas ?? 1;
  const max = spec?.maxReplicas ?? 0;
  const metrics = SPEC.child('metrics');
  return [
    ...when(
      min < least,
      invalid(SPEC.child('minReplicas'), min, `must be greater than or equal to ${least}`),
    ),
    ...when(max < 1, invalid(SPEC.child('maxReplicas'), max, 'must be greater than 0')),
    ...when(
      max < min,
      invalid(SPEC.child('maxReplicas'), max, 'must be greater than or equal to `minReplicas`'),
    ),
    ...validateReference(spec?.scaleTargetRef, SPEC.child('scaleTargetRef'), target),
    ...eachOf(spec?.metrics, (metric, i) => validateMetric(metric, metrics.index(i), objects)),
    ...(spec?.minReplicas === 0 && !list(spec.metrics).some(({ type }) => WITHOUT_PODS.has(type))
      ? [forbidden(metrics, ONE_WITHOUT_PODS)]
      : []),
    ...validateRules(spec?.behavior?.scaleUp, SPEC.child('behavior', 'scaleUp')),
    ...validateRules(spec?.behavior?.scaleDown, SPEC.child('behavior', 'scaleDown')),
  ];
}

/** k8s pkg/apis/autoscaling/validation/validation.go:ValidateHorizontalPodAutoscalerStatusUpdate. */
export const validateAutoscalerStatus = ({ status }: HorizontalPodAutoscaler): FieldError[] =>
  (['currentReplicas', 'desiredReplicas'] as const).flatMap((field) =>
    nonNegative(status?.[field], STATUS.child(field)),
  );
