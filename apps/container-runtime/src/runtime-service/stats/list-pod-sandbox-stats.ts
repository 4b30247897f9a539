import type { Init, ListPodSandboxStatsRequest, ListPodSandboxStatsResponse } from '@orrery/cri';
import type { Runtime } from '../../runtime.js';
import { matchesId, matchesLabels } from '../../store/selector.js';
import { containersBySandbox, sandboxStatsOf } from './stats-of.js';

export function listPodSandboxStats(
  runtime: Runtime,
  { filter }: ListPodSandboxStatsRequest,
): Init<ListPodSandboxStatsResponse> {
  const containers = containersBySandbox(runtime.containers.list());
  const stats = runtime.sandboxes
    .list()
    .filter(
      ({ id, config, ready }) =>
        ready && matchesId(id, filter?.id) && matchesLabels(config.labels, filter?.labelSelector),
    )
    .map((sandbox) => sandboxStatsOf(runtime, sandbox, containers.get(sandbox.id) ?? []));
  return { stats };
}
