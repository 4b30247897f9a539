import type { ContainerStatsRequest, ContainerStatsResponse, Init } from '@orrery/cri';
import type { Runtime } from '../../runtime.js';
import { statsOf } from './stats-of.js';

export function containerStats(
  runtime: Runtime,
  { containerId }: ContainerStatsRequest,
): Init<ContainerStatsResponse> {
  return { stats: statsOf(runtime, runtime.containers.get(containerId)) };
}
