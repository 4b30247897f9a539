import { HorizontalPodAutoscalerKind } from '../../autoscaling/v2/horizontalpodautoscaler/horizontalpodautoscaler.kind.js';
import type { Json } from '../json.js';
import { changedFields, changedItems, defined, fieldsOf, isObject, without } from '../json.js';
import { removedKind } from '../removed-kind.js';
import { annotationOf, withAnnotation } from '../workloads.js';

/** Where the versions before v2beta2 keep the behaviour (k8s pkg/apis/autoscaling/annotations.go). */
const BEHAVIOR = 'autoscaling.alpha.kubernetes.io/behavior';

type Part = 'target' | 'current';

/** Which kind of target the fields mean; only a spec says it. */
function typeOf(part: Part, { averageUtilization, value, averageValue }: Json): Json {
  if (part === 'current') return {};
  if (averageUtilization !== undefined) return { type: 'Utilization' };
  return { type: value !== undefined && averageValue === undefined ? 'Value' : 'AverageValue' };
}

/** Takes the flat fields of v2beta1 (`targetAverageValue`) into the `target` or `current` of v2. */
function nested(part: Part, metric: Json, names: Readonly<Record<string, string>>): Json {
  const values = defined(
    Object.fromEntries(Object.entries(names).map(([flat, name]) => [name, metric[flat]])),
  );
  return {
    ...without(metric, ...Object.keys(names)),
    [part]: { ...typeOf(part, values), ...values },
  };
}

/** The way back; a field that v2beta1 needs is zero where v2 has none. */
function flat(part: Part, metric: Json, names: Readonly<Record<string, string>>): Json {
  const values = fieldsOf(metric[part]);
  return defined({
    ...without(metric, part),
    ...Object.fromEntries(Object.entries(names).map(([field, name]) => [field, values[name]])),
  });
}

const capital = (part: Part, name: string): string => `${part}${name}`;

const resourceNames = (part: Part): Record<string, string> => ({
  [capital(part, 'AverageUtilization')]: 'averageUtilization',
  [capital(part, 'AverageValue')]: 'averageValue',
});

/** Flat fields of each type of metric and their names in v2. */
const VALUES: Readonly<Record<string, (part: Part) => Record<string, string>>> = {
  resource: resourceNames,
  containerResource: resourceNames,
  pods: (part) => ({ [capital(part, 'AverageValue')]: 'averageValue' }),
  object: (part) => ({ [capital(part, 'Value')]: 'value', averageValue: 'averageValue' }),
  external: (part) => ({
    [capital(part, 'Value')]: 'value',
    [capital(part, 'AverageValue')]: 'averageValue',
  }),
};

const identified = (type: string): boolean => ['pods', 'object', 'external'].includes(type);
const selectorName = (type: string): string =>
  type === 'external' ? 'metricSelector' : 'selector';

function sourceToHub(type: string, part: Part, source: Json): Json {
  const { target: described, ...rest } = source;
  const isObjectMetric = type === 'object';
  const made = nested(part, isObjectMetric ? rest : source, VALUES[type]?.(part) ?? {});
  if (!identified(type)) return made;
  const selector = selectorName(type);
  const { metricName: name, [selector]: chosen } = source;
  return {
    ...without(made, 'metricName', selector),
    ...(isObjectMetric ? { describedObject: described ?? {} } : {}),
    metric: defined({ name, selector: chosen }),
  };
}

function sourceFromHub(type: string, part: Part, source: Json): Json {
  const made = flat(part, source, VALUES[type]?.(part) ?? {});
  if (!identified(type)) return made;
  const { name: metricName, selector } = fieldsOf(source['metric']);
  return defined({
    ...without(made, 'metric', 'describedObject'),
    ...(type === 'object' ? { target: source['describedObject'] } : {}),
    metricName,
    [selectorName(type)]: selector,
  });
}

type Turn = (type: string, part: Part, source: Json) => Json;

const turned = (metric: Json, part: Part, turn: Turn): Json =>
  Object.keys(VALUES).reduce(
    (made, type) => changedFields(made, type, (source) => turn(type, part, source)),
    metric,
  );

const withMetrics = (object: Json, turn: Turn): Json =>
  changedFields(
    changedFields(object, 'spec', (spec) =>
      changedItems(spec, 'metrics', (metric) => turned(metric, 'target', turn)),
    ),
    'status',
    (status) => changedItems(status, 'currentMetrics', (metric) => turned(metric, 'current', turn)),
  );

function parsed(text: unknown): Json | undefined {
  try {
    const value: unknown = JSON.parse(String(text));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** k8s pkg/apis/autoscaling/v2beta1/conversion.go. */
const firstBeta = {
  toHub(object: Json): Json {
    const text = annotationOf(object, BEHAVIOR);
    const behavior = text === undefined ? undefined : parsed(text);
    const made = withMetrics(object, sourceToHub);
    if (text === undefined) return made;
    return changedFields(withAnnotation(made, BEHAVIOR, undefined), 'spec', (spec) =>
      defined({ ...spec, behavior }),
    );
  },
  fromHub(hub: Json): Json {
    const { behavior } = fieldsOf(hub['spec']);
    const made = withMetrics(hub, sourceFromHub);
    if (behavior === undefined) return made;
    return withAnnotation(
      changedFields(made, 'spec', (spec) => without(spec, 'behavior')),
      BEHAVIOR,
      JSON.stringify(behavior),
    );
  },
};

export const removedAutoscaling = [
  removedKind(HorizontalPodAutoscalerKind, {
    version: 'v2beta2',
    lifecycle: { deprecated: '1.23', removed: '1.26' },
  }),
  removedKind(HorizontalPodAutoscalerKind, {
    version: 'v2beta1',
    lifecycle: { deprecated: '1.22', removed: '1.25' },
    conversion: firstBeta,
  }),
];
