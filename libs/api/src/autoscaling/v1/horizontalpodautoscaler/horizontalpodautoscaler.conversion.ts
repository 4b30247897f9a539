import type { KubeObject } from '@orrery/apimachinery';
import type { StorageConversion } from '../../../kind.js';
import type { HorizontalPodAutoscaler as Served } from '../../../gen/types/autoscaling.v1.js';
import type {
  HorizontalPodAutoscaler as Stored,
  MetricSpec,
} from '../../../gen/types/autoscaling.v2.js';
import { list } from '../../../meta/list.js';

/** Where v1 keeps what it has no fields for (k8s pkg/apis/autoscaling/annotations.go), in the shape of v2. */
const METRICS = 'autoscaling.alpha.kubernetes.io/metrics';
const BEHAVIOR = 'autoscaling.alpha.kubernetes.io/behavior';
const CURRENT_METRICS = 'autoscaling.alpha.kubernetes.io/current-metrics';
const CONDITIONS = 'autoscaling.alpha.kubernetes.io/conditions';
const OWN = [METRICS, BEHAVIOR, CURRENT_METRICS, CONDITIONS];

/** What v2 asks of an autoscaler that names no metrics. */
const DEFAULT_UTILIZATION = 80;

const isCpuUtilization = ({ resource }: MetricSpec): boolean =>
  resource?.name === 'cpu' && resource.target?.averageUtilization !== undefined;

const cpuMetric = (percent: number): MetricSpec => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: percent } },
});

/** The value under an annotation, or undefined when it is absent or is not JSON. */
function parsed(object: KubeObject, annotation: string): unknown {
  try {
    return JSON.parse(object.metadata.annotations?.[annotation] ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
}

function toStorage(object: Served): Stored {
  const { targetCPUUtilizationPercentage: percent, ...spec } = object.spec ?? {};
  const { currentCPUUtilizationPercentage: current, ...status } = object.status ?? {};
  const others = parsed(object, METRICS);
  const metrics = [
    ...(Array.isArray(others) ? (others as MetricSpec[]) : []),
    ...(typeof percent === 'number' ? [cpuMetric(percent)] : []),
  ];
  const annotations = Object.entries(object.metadata.annotations ?? {}).filter(
    ([key]) => !OWN.includes(key),
  );
  const { annotations: _annotations, ...metadata } = object.metadata;
  const behavior = parsed(object, BEHAVIOR);
  const conditions = parsed(object, CONDITIONS);
  const currentMetrics = parsed(object, CURRENT_METRICS);
  return {
    ...object,
    apiVersion: 'autoscaling/v2',
    metadata: {
      ...metadata,
      ...(annotations.length > 0 ? { annotations: Object.fromEntries(annotations) } : {}),
    },
    spec: {
      ...spec,
      metrics: metrics.length > 0 ? metrics : [cpuMetric(DEFAULT_UTILIZATION)],
      ...(behavior ? { behavior } : {}),
    },
    ...(object.status
      ? {
          status: {
            ...status,
            ...(conditions ? { conditions } : {}),
            ...(currentMetrics || current !== undefined
              ? { currentMetrics: currentMetrics ?? [currentCpu(current ?? 0)] }
              : {}),
          },
        }
      : {}),
  } as Stored;
}

const currentCpu = (percent: number): object => ({
  type: 'Resource',
  resource: { name: 'cpu', current: { averageUtilization: percent } },
});

/** The annotations that stand for what v1 has no fields for. */
function extraAnnotations(
  { spec, status }: Stored,
  others: readonly MetricSpec[],
): Record<string, string> {
  const parts: [string, unknown][] = [
    [METRICS, others.length > 0 ? others : undefined],
    [BEHAVIOR, spec?.behavior],
    [CONDITIONS, list(status?.conditions).length > 0 ? status?.conditions : undefined],
    [CURRENT_METRICS, list(status?.currentMetrics).length > 0 ? status?.currentMetrics : undefined],
  ];
  return Object.fromEntries(
    parts
      .filter(([, value]) => value !== undefined)
      .map(([name, value]): [string, string] => [name, JSON.stringify(value)]),
  );
}

function servedStatus(stored: NonNullable<Stored['status']>): Served['status'] {
  const { conditions: _conditions, currentMetrics, ...status } = stored;
  const cpu = list(currentMetrics).find((metric) => metric.resource?.name === 'cpu');
  const percent = cpu?.resource?.current?.averageUtilization;
  return {
    ...status,
    currentReplicas: status.currentReplicas ?? 0,
    ...(percent === undefined ? {} : { currentCPUUtilizationPercentage: percent }),
  };
}

function fromStorage(stored: Stored): Served {
  const { metrics, behavior: _behavior, ...spec } = stored.spec ?? {};
  const cpu = list(metrics).find(isCpuUtilization);
  const percent = cpu?.resource?.target?.averageUtilization;
  const others = list(metrics).filter((metric) => metric !== cpu);
  const annotations = { ...stored.metadata.annotations, ...extraAnnotations(stored, others) };
  return {
    ...stored,
    apiVersion: 'autoscaling/v1',
    metadata: {
      ...stored.metadata,
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    },
    spec: {
      ...spec,
      ...(percent === undefined ? {} : { targetCPUUtilizationPercentage: percent }),
    },
    ...(stored.status ? { status: servedStatus(stored.status) } : {}),
  } as Served;
}

export const horizontalPodAutoscalerConversion: StorageConversion<Served> = {
  group: 'autoscaling',
  version: 'v2',
  kind: 'HorizontalPodAutoscaler',
  toStorage,
  fromStorage: (stored) => fromStorage(stored as Stored),
};
