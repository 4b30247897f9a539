import { CriError } from '@orrery/cri';
import type { PortForwardRequest, PortForwardResponse } from '@orrery/cri';
import type { Runtime } from '../../runtime.js';

export function portForward(runtime: Runtime, request: PortForwardRequest): PortForwardResponse {
  const sandbox = runtime.sandboxes.get(request.podSandboxId);
  if (!sandbox.ready)
    throw new CriError('UNKNOWN', `sandbox container "${sandbox.id}" is not running`);
  const url = runtime.streaming.register({
    kind: 'portforward',
    ip: sandbox.ip,
    netns: sandbox.netns,
    sandboxId: sandbox.id,
    ports: request.port,
  });
  return { url };
}
