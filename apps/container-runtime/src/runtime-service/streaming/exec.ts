import { CriError } from '@orrery/cri';
import type { ExecRequest, ExecResponse } from '@orrery/cri';
import type { Runtime } from '../../runtime.js';
import { serveExec } from '../../streaming/serve-exec.js';
import { checkStreams, startExec } from './exec-session.js';

export function exec(runtime: Runtime, request: ExecRequest): ExecResponse {
  const { containerId, cmd, tty, stdin, stdout, stderr } = request;
  const container = runtime.containers.get(containerId);
  if (container.lifecycle.state !== 'running')
    throw new CriError('UNKNOWN', `container is in ${container.lifecycle.state} state`);
  checkStreams(request);
  const url = runtime.streaming.register({
    kind: 'exec',
    want: { stdin, stdout, stderr, tty },
    serve: (streams) =>
      serveExec(streams, () => startExec(runtime, { containerId, cmd, tty, stdin })),
  });
  return { url };
}
