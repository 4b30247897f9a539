import { podAmounts } from '@orrery/api';
import type { Pod } from '@orrery/api';
import { createMetrics } from '@orrery/component';
import type { Metrics } from '@orrery/component';

const LABELS = ['namespace', 'pod', 'node', 'scheduler', 'priority', 'resource', 'unit'] as const;
const WHAT =
  'broken down by pod. This shows the resource usage the scheduler and kubelet expect per pod for resources along with the unit for the resource if any.';

const NANO = 1e9;

/** Pure: in what a resource is told (k8s pkg/scheduler/metrics/resources/resources.go). */
export function unitOf(resource: string): string {
  if (resource === 'cpu') return 'cores';
  const isBytes =
    ['memory', 'storage', 'ephemeral-storage'].includes(resource) ||
    resource.startsWith('hugepages-');
  if (isBytes) return 'bytes';
  return resource.startsWith('attachable-volumes-') ? 'integer' : '';
}

/** Pods that have ended use nothing. */
const isOver = ({ spec, status }: Pod): boolean =>
  Boolean(spec.nodeName) && (status?.phase === 'Succeeded' || status?.phase === 'Failed');

/** The page /metrics/resources: what each pod asks for and may use. */
export function createPodResourceMetrics(pods: () => readonly Pod[]): Metrics {
  const metrics = createMetrics();
  const add = (name: string, help: string, field: 'requests' | 'limits'): void => {
    metrics.gauge({
      name,
      help,
      labels: LABELS,
      collect: (gauge) => {
        gauge.reset();
        for (const pod of pods()) {
          if (isOver(pod)) continue;
          const { metadata, spec } = pod;
          for (const [resource, amount] of podAmounts(pod, field)) {
            if (amount.nanos === 0n) continue;
            const labels = {
              namespace: metadata.namespace ?? '',
              pod: metadata.name ?? '',
              node: spec.nodeName ?? '',
              scheduler: spec.schedulerName ?? '',
              priority: spec.priority === undefined ? '' : String(spec.priority),
              resource,
              unit: unitOf(resource),
            };
            gauge.set(labels, Number(amount.nanos) / NANO);
          }
        }
      },
    });
  };
  add(
    'kube_pod_resource_request',
    `Resources requested by workloads on the cluster, ${WHAT}`,
    'requests',
  );
  add('kube_pod_resource_limit', `Resources limit for workloads on the cluster, ${WHAT}`, 'limits');
  return metrics;
}
