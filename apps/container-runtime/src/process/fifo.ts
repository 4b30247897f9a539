import { execFile } from 'node:child_process';
import { constants, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { promisify } from 'node:util';
import { findTool } from './isolation.js';

/**
 * Makes named pipes at `paths`; old ones are replaced. Any user of the container may open them again through
 * /dev/stdout; on the host the folder above keeps others out.
 */
export async function makeFifos(paths: readonly string[]): Promise<void> {
  for (const path of paths) rmSync(path, { force: true });
  await promisify(execFile)(findTool('mkfifo') ?? 'mkfifo', ['-m', '666', ...paths]);
}

/** For the child: open for both ends, so that it neither waits for a reader nor dies when the runtime restarts. */
export function openFifoForChild(path: string): number {
  return openSync(path, 'r+');
}

/** For the runtime: ends when the last writer is gone. Open the child's end first. */
export function readFifo(path: string): Socket {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return new Socket({ fd, readable: true, writable: false });
}
