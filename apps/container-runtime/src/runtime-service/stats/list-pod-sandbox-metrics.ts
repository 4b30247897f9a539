import { toNanoseconds } from '@orrery/cri';
import type {
  Init,
  ListPodSandboxMetricsResponse,
  StreamPodSandboxMetricsResponse,
} from '@orrery/cri';
import type { Runtime } from '../../runtime.js';
import { metricsOf } from './metric-descriptors.js';
import { statsOf } from './stats-of.js';

/** Of running containers, by sandbox; one answer serves the list and the stream. */
export function listPodSandboxMetrics(
  runtime: Runtime,
): Init<ListPodSandboxMetricsResponse & StreamPodSandboxMetricsResponse> {
  const timestamp = toNanoseconds(runtime.clock.now());
  const running = runtime.containers
    .list()
    .filter(({ lifecycle }) => lifecycle.state === 'running');
  const podMetrics = runtime.sandboxes
    .list()
    .filter(({ ready }) => ready)
    .map(({ id }) => ({
      podSandboxId: id,
      metrics: [],
      containerMetrics: running
        .filter(({ sandboxId }) => sandboxId === id)
        .map((record) => ({
          containerId: record.id,
          metrics: metricsOf(statsOf(runtime, record), timestamp),
        })),
    }));
  return { podMetrics, podSandboxMetrics: podMetrics };
}
