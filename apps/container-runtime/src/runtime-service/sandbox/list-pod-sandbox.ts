import type { Init, ListPodSandboxRequest, ListPodSandboxResponse } from '@orrery/cri';
import type { Runtime } from '../../runtime.js';
import { toPodSandbox } from '../../store/sandbox.js';
import { matchesId, matchesLabels } from '../../store/selector.js';

export function listPodSandbox(
  runtime: Runtime,
  { filter }: ListPodSandboxRequest,
): Init<ListPodSandboxResponse> {
  const items = runtime.sandboxes
    .list()
    .filter(
      ({ id, config }) =>
        matchesId(id, filter?.id) && matchesLabels(config.labels, filter?.labelSelector),
    )
    .map(toPodSandbox)
    .filter(({ state }) => !filter?.state || state === filter.state.state);
  return { items };
}
