import type { Init, ListContainerStatsRequest, ListContainerStatsResponse } from '@orrery/cri';
import type { Runtime } from '../../runtime.js';
import { matchesId, matchesLabels } from '../../store/selector.js';
import { statsOf } from './stats-of.js';

/** Of running containers. */
export function listContainerStats(
  runtime: Runtime,
  { filter }: ListContainerStatsRequest,
): Init<ListContainerStatsResponse> {
  const stats = runtime.containers
    .list()
    .filter(
      ({ id, sandboxId, config, lifecycle }) =>
        lifecycle.state === 'running' &&
        matchesId(id, filter?.id) &&
        matchesId(sandboxId, filter?.podSandboxId) &&
        matchesLabels(config.labels, filter?.labelSelector),
    )
    .map((record) => statsOf(runtime, record));
  return { stats };
}
