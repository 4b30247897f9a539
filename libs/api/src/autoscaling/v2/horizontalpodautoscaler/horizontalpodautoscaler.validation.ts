import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { FieldPath, invalid, required } from '@orrery/apimachinery';
import type {
  CrossVersionObjectReference,
  HPAScalingRules,
  HorizontalPodAutoscaler,
  MetricSpec,
  MetricTarget,
} from '../../../gen/types/autoscaling.v2.js';
import { oneOf } from '../../../meta/fields.js';
import { eachOf } from '../../../meta/list.js';
import { check, pathSegment } from '../../../meta/names.js';
import { validateQuantity } from '../../../meta/quantity.js';

const SPEC = FieldPath.of('spec');
const TYPES = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource'];
const MAX_WINDOW_SECONDS = 3600;
const MAX_PERIOD_SECONDS = 1800;

function validateReference(ref: CrossVersionObjectReference | undefined, path: Path): FieldError[] {
  return [
    ...(ref?.kind
      ? check(pathSegment, ref.kind, path.child('kind'))
      : [required(path.child('kind'))]),
    ...(ref?.name
      ? check(pathSegment, ref.name, path.child('name'))
      : [required(path.child('name'))]),
  ];
}

function validateTarget(target: MetricTarget | undefined, path: Path): FieldError[] {
  const { type, averageUtilization, averageValue, value } = target ?? {};
  return [
    ...oneOf(type, ['Utilization', 'Value', 'AverageValue'], path.child('type')),
    ...(typeof averageUtilization === 'number' && averageUtilization < 1
      ? [invalid(path.child('averageUtilization'), averageUtilization, 'must be greater than 0')]
      : []),
    ...(value === undefined ? [] : validateQuantity(value, path.child('value'))),
    ...(averageValue === undefined
      ? []
      : validateQuantity(averageValue, path.child('averageValue'))),
  ];
}

const SOURCES = {
  Resource: 'resource',
  ContainerResource: 'containerResource',
  Pods: 'pods',
  Object: 'object',
  External: 'external',
} as const;

function validateMetric(metric: MetricSpec, path: Path): FieldError[] {
  const findings = oneOf(metric.type, TYPES, path.child('type'));
  if (findings.length > 0) return findings;
  const field = SOURCES[metric.type as keyof typeof SOURCES];
  const source = metric[field];
  if (!source) {
    return [required(path.child(field), `must populate information for the given metric source`)];
  }
  return [
    ...('name' in source || field === 'resource' || field === 'containerResource'
      ? 'name' in source && source.name
        ? []
        : [required(path.child(field, 'name'), 'must specify a resource name')]
      : []),
    ...validateTarget(source.target, path.child(field, 'target')),
  ];
}

function validateRules(rules: HPAScalingRules | undefined, path: Path): FieldError[] {
  const window = rules?.stabilizationWindowSeconds;
  return [
    ...(typeof window === 'number' && (window < 0 || window > MAX_WINDOW_SECONDS)
      ? [
          invalid(
            path.child('stabilizationWindowSeconds'),
            window,
            window < 0
              ? 'must be greater than or equal to zero'
              : `must be less than or equal to ${MAX_WINDOW_SECONDS}`,
          ),
        ]
      : []),
    ...oneOf(rules?.selectPolicy, ['Disabled', 'Max', 'Min'], path.child('selectPolicy'), false),
    ...eachOf(rules?.policies, (policy, i) => {
      const at = path.child('policies').index(i);
      return [
        ...oneOf(policy.type, ['Pods', 'Percent'], at.child('type')),
        ...(policy.value > 0
          ? []
          : [invalid(at.child('value'), policy.value ?? 0, 'must be greater than zero')]),
        ...(policy.periodSeconds > 0 && policy.periodSeconds <= MAX_PERIOD_SECONDS
          ? []
          : [
              invalid(
                at.child('periodSeconds'),
                policy.periodSeconds ?? 0,
                `must be greater than zero and less than or equal to ${MAX_PERIOD_SECONDS}`,
              ),
            ]),
      ];
    }),
  ];
}

/** k8s pkg/apis/autoscaling/validation/validation.go:validateHorizontalPodAutoscalerSpec. */
export function validateHorizontalPodAutoscaler({ spec }: HorizontalPodAutoscaler): FieldError[] {
  const min = spec?.minReplicas ?? 1;
  const max = spec?.maxReplicas ?? 0;
  return [
    ...(min < 1
      ? [invalid(SPEC.child('minReplicas'), min, 'must be greater than or equal to 1')]
      : []),
    ...(max < 1 ? [invalid(SPEC.child('maxReplicas'), max, 'must be greater than 0')] : []),
    ...(max < min
      ? [invalid(SPEC.child('maxReplicas'), max, 'must be greater than or equal to `minReplicas`')]
      : []),
    ...validateReference(spec?.scaleTargetRef, SPEC.child('scaleTargetRef')),
    ...eachOf(spec?.metrics, (metric, i) => validateMetric(metric, SPEC.child('metrics').index(i))),
    ...validateRules(spec?.behavior?.scaleUp, SPEC.child('behavior', 'scaleUp')),
    ...validateRules(spec?.behavior?.scaleDown, SPEC.child('behavior', 'scaleDown')),
  ];
}
