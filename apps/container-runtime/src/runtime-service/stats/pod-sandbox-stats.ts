import type { Init, PodSandboxStatsRequest, PodSandboxStatsResponse } from '@orrery/cri';
import type { Runtime } from '../../runtime.js';
import { sandboxStatsOf } from './stats-of.js';

export function podSandboxStats(
  runtime: Runtime,
  { podSandboxId }: PodSandboxStatsRequest,
): Init<PodSandboxStatsResponse> {
  const sandbox = runtime.sandboxes.get(podSandboxId);
  const containers = runtime.containers.list().filter(({ sandboxId }) => sandboxId === sandbox.id);
  return { stats: sandboxStatsOf(runtime, sandbox, containers) };
}
