import type { LiveContainer } from '../engine/live-container.js';
import type { Task } from '../engine/task.js';
import type { RemoteStreams } from './remote-streams.js';

/** Bytes that a caller may be behind what the container says, which waits for nobody. */
const MOST_BEHIND = 8 * 1024 * 1024;

export interface AttachOptions {
  readonly live: LiveContainer;
  readonly task: Task;
  /**
   * `stdinOnce` without a terminal: the container's standard input ends with the session's, which then shows the rest.
   * Else the session ends with its input (containerd internal/cri/io/container_io.go:Attach).
   */
  readonly endsStdin: boolean;
}

/** Shows what the container says from now on, and types into it, until it ends or the caller leaves. */
export async function serveAttach(
  streams: RemoteStreams,
  { live, task, endsStdin }: AttachOptions,
): Promise<void> {
  const slow = new AbortController();
  const detach = live.attach((stream, chunk) => {
    const target = stream === 'stderr' ? streams.stderr : streams.stdout;
    if (!target || slow.signal.aborted) return;
    target.write(chunk);
    if (target.writableLength > MOST_BEHIND) slow.abort();
  });
  streams.onResize((columns, rows) => {
    task.resize(columns, rows);
  });
  if (streams.stdin && task.stdin) streams.stdin.pipe(task.stdin, { end: endsStdin });
  const left = new Promise<void>((resolve) => {
    AbortSignal.any([streams.gone, slow.signal]).addEventListener('abort', () => {
      resolve();
    });
  });
  const typed = new Promise<void>((resolve) => {
    if (!endsStdin) streams.stdin?.once('end', resolve);
  });
  await Promise.race([task.exited, left, typed]);
  detach();
  if (task.stdin) streams.stdin?.unpipe(task.stdin);
  // How the container ended is in its status; an attach that ended with it has succeeded (containerd's attachContainer).
  await streams.finish(
    slow.signal.aborted ? { error: 'the client reads too slowly' } : { exitCode: 0 },
  );
}
