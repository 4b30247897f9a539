import type { Init, PodSandboxStatsRequest, PodSandboxStatsResponse } from '@orrery/cri';
import type { Runtime } from '../../runtime.js';
import { sandboxStatsOf } from './stats-of.js';

export function podSandboxStats(
  runtime: Runtime,
  { podSandboxId }: PodSandboxStatsRequest,
): Init<PodSandboxStatsResponse> {
  return { stats: sandboxStatsOf(runtime, runtime.sandboxes.get(podSandboxId)) };
}
