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

const plain = (text: string): string => text.replace(' (avg)', '');

/** k8s pkg/printers/internalversion/printers.go:formatHPAMetrics, one metric. */
function metricText(spec: MetricSpec, status: MetricStatus | undefined): string {
  const { resource, containerResource: inContainer } = spec;
  switch (spec.type) {
    case 'Resource':
      return plain(`${resource?.name}: ${ratio(status?.resource?.current, resource?.target)}`);
    case 'ContainerResource':
      return plain(
        `${inContainer?.name}: ${ratio(status?.containerResource?.current, inContainer?.target)}`,
      );
    case 'Pods':
      return plain(ratio(status?.pods?.current, spec.pods?.target));
    case 'Object':
      return ratio(status?.object?.current, spec.object?.target);
    case 'External':
      return ratio(status?.external?.current, spec.external?.target);
    default:
      return '<unknown type>';
  }
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
