import type { Readable, Writable } from 'node:stream';
import type { ExecSession } from '../engine/task.js';
import type { RemoteStreams } from './remote-streams.js';

/** Copies to the caller; resolves at the end of the source. A caller that left does not stop the source. */
function copy(source: Readable | undefined, target: Writable | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (!source) {
      resolve();
      return;
    }
    source.once('close', resolve);
    source.once('end', resolve);
    if (target) source.pipe(target, { end: false });
    else source.resume();
  });
}

/** Carries one exec between the caller and a command until the command ends. */
export async function serveExec(
  streams: RemoteStreams,
  start: () => Promise<ExecSession>,
): Promise<void> {
  let session: ExecSession;
  try {
    session = await start();
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    await streams.finish({ error: `error executing command in container: ${text}` });
    return;
  }
  streams.gone.addEventListener('abort', () => {
    session.kill();
  });
  if (streams.gone.aborted) session.kill();
  streams.onResize((columns, rows) => {
    session.resize(columns, rows);
  });
  if (streams.stdin && session.stdin) streams.stdin.pipe(session.stdin);
  const output = Promise.all([
    copy(session.stdout, streams.stdout),
    copy(session.stderr, streams.stderr),
  ]);
  const exitCode = await session.exitCode;
  await Promise.race([
    output,
    new Promise<void>((resolve) =>
      streams.gone.addEventListener('abort', () => {
        resolve();
      }),
    ),
  ]);
  await streams.finish({ exitCode });
}
