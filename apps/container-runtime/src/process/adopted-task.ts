import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '@orrery/component';
import { CriError } from '@orrery/cri';
import type { Exit, Task, Usage } from '../engine/task.js';
import { sessionUsage, startOf } from './proc-stat.js';
import type { Output } from './process-task.js';

export interface AdoptOptions {
  /** The cluster's folder, which has run/NAME.pid and logs/NAME.log. */
  readonly folder: string;
  readonly name: string;
  readonly output: Output;
  readonly clock: Clock;
  /** The log so far was taken over before. */
  readonly skipLog?: boolean;
  /** Start times of processes that ended as a container before: a restart waits for a new one. */
  readonly ended: ReadonlySet<string>;
}

const POLL_MS = 250;
/** How much of an existing log is taken over. */
const TAIL_BYTES = 64 * 1024;
/** How long a start waits for the process before it fails and the kubelet tries again. */
const WAIT_MS = 30_000;

function readPid(folder: string, name: string): number {
  try {
    return Number(readFileSync(join(folder, 'run', `${name}.pid`), 'utf8').trim());
  } catch {
    return 0;
  }
}

/** Copies what is appended to a file from `position` on; follows a truncation. */
class LogTail {
  private position: number;

  constructor(
    private readonly path: string,
    private readonly output: Output,
    skip: boolean,
  ) {
    this.position = Math.max(0, this.size() - (skip ? 0 : TAIL_BYTES));
  }

  private size(): number {
    return statSync(this.path, { throwIfNoEntry: false })?.size ?? 0;
  }

  read(): void {
    const size = this.size();
    if (size < this.position) this.position = 0;
    if (size === this.position) return;
    const fd = openSync(this.path, 'r');
    try {
      const buffer = Buffer.alloc(Math.min(size - this.position, 1 << 20));
      const count = readSync(fd, buffer, 0, buffer.length, this.position);
      this.position += count;
      this.output('stderr', buffer.subarray(0, count));
    } finally {
      closeSync(fd);
    }
  }
}

/**
 * The container of a static pod whose process somebody else started (annotation `orrery.dev/process`): it runs
 * while that process lives. It is never signalled: who started it also stops it.
 */
export async function adoptProcess(options: AdoptOptions): Promise<Task> {
  const { clock, folder, name } = options;
  const deadline = clock.monotonic() + WAIT_MS;
  let pid = 0;
  let start: string | undefined;
  for (;;) {
    pid = readPid(folder, name);
    start = pid > 0 ? startOf(pid) : undefined;
    if (start !== undefined && !options.ended.has(`${pid}/${start}`)) break;
    if (clock.monotonic() > deadline)
      throw new CriError('UNKNOWN', `process ${name} is not running (run/${name}.pid)`);
    await clock.sleep(POLL_MS);
  }
  const pidStart = start;
  const tail = new LogTail(
    join(folder, 'logs', `${name}.log`),
    options.output,
    options.skipLog === true,
  );
  let stopped = false;
  const watch = async (): Promise<Exit> => {
    while (!stopped && startOf(pid) === pidStart) {
      tail.read();
      await clock.sleep(POLL_MS);
    }
    tail.read();
    return { exitCode: stopped ? 137 : 255, message: stopped ? '' : `process ${name} ended` };
  };
  return {
    pid,
    pidStart,
    foreign: true,
    exited: watch(),
    signal: () => {
      stopped = true;
    },
    stdin: undefined,
    resize: () => undefined,
    usage: (): Usage => sessionUsage(pid),
  };
}
