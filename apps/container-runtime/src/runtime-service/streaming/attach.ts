import { CriError } from '@orrery/cri';
import type { AttachRequest, AttachResponse } from '@orrery/cri';
import type { Runtime } from '../../runtime.js';
import { serveAttach } from '../../streaming/serve-attach.js';
import { checkStreams } from './exec-session.js';

export function attach(runtime: Runtime, request: AttachRequest): AttachResponse {
  const { containerId, stdin, stdout, stderr, tty } = request;
  const container = runtime.containers.get(containerId);
  const live = runtime.engine.liveOf(container.id);
  if (!live?.task) throw new CriError('UNKNOWN', 'container is not running');
  checkStreams(request);
  const { task } = live;
  const url = runtime.streaming.register({
    kind: 'attach',
    want: { stdin, stdout, stderr, tty },
    serve: (streams) =>
      serveAttach(streams, {
        live,
        task,
        endsStdin: container.config.stdinOnce && !container.config.tty,
      }),
  });
  return { url };
}
