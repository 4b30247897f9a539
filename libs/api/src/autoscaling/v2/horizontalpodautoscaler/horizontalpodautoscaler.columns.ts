import type {
  HorizontalPodAutoscaler,
  MetricSpec,
  MetricStatus,
} from '../../../gen/types/autoscaling.v2.js';
import { list } from '../../../meta/list.js';
import { ageColumn, column, count, nameColumn, table } from '../../../table/columns.js';

const SHOWN = 2;
const UNKNOWN = '<unknown>';

interface Amounts {
  averageUtilization?: number;
  averageValue?: string;
  value?: string;
}

const ratio = (current: Amounts | undefined, target: Amounts | undefined): string => {
  if (target?.averageValue !== undefined) {
    return `${current?.averageValue ?? UNKNOWN}/${target.averageValue} (avg)`;
  }
  if (target?.averageUtilization !== undefined) {
    const now =
      current?.averageUtilization === undefined ? UNKNOWN : `${current.averageUtilization}%`;
    return `${now}/${target.averageUtilization}%`;
  }
  return `${current?.value ?? UNKNOWN}/${target?.value ?? UNKNOWN}`;
};

type Source = 'resource' | 'containerResource' | 'pods' | 'object' | 'external';

const SOURCES: Readonly<Record<string, Source>> = {
  Resource: 'resource',
  ContainerResource: 'containerResource',
  Pods: 'pods',
  Object: 'object',
  External: 'external',
};

/** k8s pkg/printers/internalversion/printers.go:formatHPAMetrics, one metric. */
function metricText(spec: MetricSpec, status: MetricStatus | undefined): string {
  const source = SOURCES[spec.type];
  if (source === undefined) return '<unknown type>';
  const text = ratio(status?.[source]?.current, spec[source]?.target);
  if (source === 'object' || source === 'external') return text;
  const asked = spec[source];
  const plain = text.replace(' (avg)', '');
  return asked && 'name' in asked ? `${asked.name}: ${plain}` : plain;
}

function targetsText({ spec, status }: HorizontalPodAutoscaler): string {
  const specs = list(spec?.metrics);
  if (specs.length === 0) return '<none>';
  const current = list(status?.currentMetrics);
  const texts = specs.slice(0, SHOWN).map((metric, i) => metricText(metric, current[i]));
  const rest = specs.length - SHOWN;
  return rest > 0 ? `${texts.join(', ')} + ${rest} more...` : texts.join(', ');
}

export const horizontalPodAutoscalerColumns = table<HorizontalPodAutoscaler>([
  nameColumn,
  column('Reference', ({ spec }) => {
    const target = spec?.scaleTargetRef;
    return `${target?.kind ?? ''}/${target?.name ?? ''}`;
  }),
  column('Targets', targetsText),
  column('MinPods', ({ spec }) => String(spec?.minReplicas ?? '<unset>')),
  count('MaxPods', ({ spec }) => spec?.maxReplicas ?? 0),
  count('Replicas', ({ status }) => status?.currentReplicas ?? 0),
  ageColumn,
]);
