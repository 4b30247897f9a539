import { toNanoseconds } from '@orrery/cri';
import type {
  Init,
  ListPodSandboxMetricsResponse,
  StreamPodSandboxMetricsResponse,
} from '@orrery/cri';
import type { Runtime } from '../../runtime.js';
import { procCounts } from '../../stats/proc-counts.js';
import type { ContainerRecord } from '../../store/container.js';
import { containerMetrics, networkMetrics } from './metric-descriptors.js';
import type { ContainerFacts } from './metric-descriptors.js';
import { containersBySandbox, interfacesOf, statsOf } from './stats-of.js';

function factsOf(runtime: Runtime, record: ContainerRecord): ContainerFacts {
  const group = runtime.engine.limits.usageOf(record.id);
  return {
    stats: statsOf(runtime, record, group),
    group,
    counts: group && procCounts(group.pids),
    cpuQuota: record.config.linux?.resources?.cpuQuota ?? 0,
  };
}

/** Of running containers, by sandbox; one answer serves the list and the stream. */
export function listPodSandboxMetrics(
  runtime: Runtime,
): Init<ListPodSandboxMetricsResponse & StreamPodSandboxMetricsResponse> {
  const timestamp = toNanoseconds(runtime.clock.now());
  const running = containersBySandbox(
    runtime.containers.list().filter(({ lifecycle }) => lifecycle.state === 'running'),
  );
  const podMetrics = runtime.sandboxes
    .list()
    .filter(({ ready }) => ready)
    .map((sandbox) => {
      const containers = running.get(sandbox.id) ?? [];
      return {
        podSandboxId: sandbox.id,
        metrics: networkMetrics(interfacesOf(sandbox, containers), timestamp),
        containerMetrics: containers.map((record) => ({
          containerId: record.id,
          metrics: containerMetrics(factsOf(runtime, record), timestamp),
        })),
      };
    });
  return { podMetrics, podSandboxMetrics: podMetrics };
}
