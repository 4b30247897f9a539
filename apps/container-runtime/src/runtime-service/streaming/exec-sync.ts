import type { Readable } from 'node:stream';
import { CriError } from '@orrery/cri';
import type { ExecSyncRequest, ExecSyncResponse } from '@orrery/cri';
import type { Runtime } from '../../runtime.js';
import { startExec } from './exec-session.js';

/** Output beyond this is dropped (containerd: maxExecSyncIO, 16 MiB). */
const MAX_OUTPUT = 16 * 1024 * 1024;

function collect(stream: Readable | undefined): { bytes(): Buffer; done: Promise<void> } {
  const chunks: Buffer[] = [];
  let size = 0;
  stream?.on('data', (chunk: Buffer) => {
    if (size < MAX_OUTPUT) chunks.push(chunk.subarray(0, MAX_OUTPUT - size));
    size += chunk.length;
  });
  const done = new Promise<void>((resolve) => {
    if (stream) stream.once('close', resolve);
    else resolve();
  });
  return { bytes: () => Buffer.concat(chunks), done };
}

/** `timeout` is in seconds, 0 for none. */
export async function execSync(
  runtime: Runtime,
  { containerId, cmd, timeout }: ExecSyncRequest,
): Promise<ExecSyncResponse> {
  const session = await startExec(runtime, { containerId, cmd, tty: false, stdin: false });
  const stdout = collect(session.stdout);
  const stderr = collect(session.stderr);
  const waiting = new AbortController();
  const late = async (): Promise<never> => {
    if (timeout === 0) return new Promise<never>(() => undefined);
    await runtime.clock.sleep(timeout * 1_000, waiting.signal);
    session.kill();
    throw new CriError(
      'DEADLINE_EXCEEDED',
      `failed to exec in container: timeout ${timeout}s exceeded: context deadline exceeded`,
    );
  };
  try {
    const exitCode = await Promise.race([session.exitCode, late()]);
    // Children that hold the pipes open do not delay the answer for long.
    await Promise.race([
      Promise.all([stdout.done, stderr.done]),
      runtime.clock.sleep(500, waiting.signal),
    ]);
    return { stdout: stdout.bytes(), stderr: stderr.bytes(), exitCode };
  } finally {
    waiting.abort();
  }
}
