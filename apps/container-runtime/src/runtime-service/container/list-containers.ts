import type { Init, ListContainersRequest, ListContainersResponse } from '@orrery/cri';
import type { Runtime } from '../../runtime.js';
import { toContainer } from '../../store/container.js';
import { matchesId, matchesLabels } from '../../store/selector.js';

export function listContainers(
  runtime: Runtime,
  { filter }: ListContainersRequest,
): Init<ListContainersResponse> {
  const containers = runtime.containers
    .list()
    .filter(
      ({ id, sandboxId, config }) =>
        matchesId(id, filter?.id) &&
        matchesId(sandboxId, filter?.podSandboxId) &&
        matchesLabels(config.labels, filter?.labelSelector),
    )
    .map(toContainer)
    .filter(({ state }) => !filter?.state || state === filter.state.state);
  return { containers };
}
