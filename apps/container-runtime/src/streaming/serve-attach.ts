import type { LiveContainer } from '../engine/live-container.js';
import type { Task } from '../engine/task.js';
import type { RemoteStreams } from './remote-streams.js';

export interface AttachOptions {
  readonly live: LiveContainer;
  readonly task: Task;
  /** `stdinOnce`: the container's standard input ends with the first session. */
  readonly endsStdin: boolean;
}

/** Shows what the container says from now on, and types into it, until it ends or the caller leaves. */
export async function serveAttach(
  streams: RemoteStreams,
  { live, task, endsStdin }: AttachOptions,
): Promise<void> {
  const detach = live.attach((stream, chunk) => {
    (stream === 'stderr' ? streams.stderr : streams.stdout)?.write(chunk);
  });
  streams.onResize((columns, rows) => {
    task.resize(columns, rows);
  });
  if (streams.stdin && task.stdin) streams.stdin.pipe(task.stdin, { end: endsStdin });
  const left = new Promise<void>((resolve) => {
    streams.gone.addEventListener('abort', () => {
      resolve();
    });
  });
  await Promise.race([task.exited, left]);
  detach();
  if (task.stdin) streams.stdin?.unpipe(task.stdin);
  // How the container ended is in its status; an attach that ended with it has succeeded (containerd's attachContainer).
  await streams.finish({ exitCode: 0 });
}
