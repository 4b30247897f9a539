import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import type { Clock } from '@orrery/component';
import { CriError } from '@orrery/cri';
import { exitCodeOf } from '../engine/task.js';
import type { Exit, StopSignal, Task, Usage } from '../engine/task.js';
import type { LogStream } from '../logs/cri-log.js';
import type { Launch } from './environment.js';
import { makeFifos, openFifoForChild, readFifo } from './fifo.js';
import { sessionUsage, startOf } from './proc-stat.js';

export type Output = (stream: LogStream, chunk: Buffer) => void;

export interface ProcessTaskOptions {
  /** Where the named pipes of standard output and error are. */
  readonly folder: string;
  readonly output: Output;
  readonly clock: Clock;
}

/** How long output may still come after the process has ended, from children that it left behind. */
const DRAIN_MS = 200;
/** How often a process that is not our child is looked at. */
const POLL_MS = 200;

const STREAMS = ['stdout', 'stderr'] as const;
const pipesOf = (folder: string): string[] => STREAMS.map((stream) => join(folder, stream));

/** Signals a process group; false when it is gone. */
export function killGroup(pid: number, name: StopSignal): boolean {
  try {
    process.kill(-pid, name as NodeJS.Signals);
    return true;
  } catch {
    return false;
  }
}

/** Pumps both pipes into `output`; resolves at their end or when `giveUp` does. */
function pump(folder: string, output: Output): { done: Promise<void>; stop(): void } {
  const sockets = pipesOf(folder).map((path, index) => {
    const socket = readFifo(path);
    const stream = STREAMS[index] ?? 'stdout';
    socket.on('data', (chunk: Buffer) => {
      output(stream, chunk);
    });
    return socket;
  });
  const ends = sockets.map(
    (socket) =>
      new Promise<void>((resolve) => {
        socket.once('close', () => {
          resolve();
        });
        socket.on('error', () => socket.destroy());
      }),
  );
  return {
    done: Promise.all(ends).then(() => undefined),
    stop: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** A host process of a session of its own; its output goes through named pipes, so it outlives the runtime. */
export class ProcessTask implements Task {
  private constructor(
    readonly pid: number,
    readonly pidStart: string,
    readonly exited: Promise<Exit>,
    readonly stdin: Writable | undefined,
  ) {}

  /** Rejects with CriError when the program cannot be started. */
  static async start(
    launch: Launch,
    wantsStdin: boolean,
    options: ProcessTaskOptions,
  ): Promise<ProcessTask> {
    const paths = pipesOf(options.folder);
    await makeFifos(paths);
    const fds = paths.map(openFifoForChild);
    const output = pump(options.folder, options.output);
    try {
      const child = spawn(launch.file, [...launch.args], {
        env: { ...launch.env },
        cwd: launch.cwd,
        detached: true,
        stdio: [wantsStdin ? 'pipe' : 'ignore', ...fds],
      });
      const pid = await spawned(child);
      const exited = exitOf(child).then(async (exit) => {
        await Promise.race([output.done, options.clock.sleep(DRAIN_MS)]);
        output.stop();
        return exit;
      });
      child.stdin?.on('error', () => undefined);
      return new ProcessTask(pid, startOf(pid) ?? '', exited, child.stdin ?? undefined);
    } catch (error) {
      output.stop();
      throw error;
    } finally {
      for (const fd of fds) closeSync(fd);
    }
  }

  /** Takes over a process that an earlier runtime started; undefined when it is gone. How it ends is then unknown. */
  static adopt(
    pid: number,
    pidStart: string,
    options: ProcessTaskOptions,
  ): ProcessTask | undefined {
    if (startOf(pid) !== pidStart) return undefined;
    const output = pump(options.folder, options.output);
    const watch = async (): Promise<Exit> => {
      while (startOf(pid) === pidStart) await options.clock.sleep(POLL_MS);
      await Promise.race([output.done, options.clock.sleep(DRAIN_MS)]);
      output.stop();
      return { exitCode: 255, reason: 'Unknown', message: 'ended after a restart of the runtime' };
    };
    return new ProcessTask(pid, pidStart, watch(), undefined);
  }

  signal(name: StopSignal): void {
    killGroup(this.pid, name);
  }

  resize(): void {
    // No terminal.
  }

  usage(): Usage {
    return sessionUsage(this.pid);
  }
}

function spawned(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('spawn', () => {
      resolve(child.pid ?? 0);
    });
    child.once('error', (error) => {
      reject(new CriError('UNKNOWN', error.message, { cause: error }));
    });
  });
}

function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      // What is left of the group dies with its leader, as with a pid namespace's init.
      if (child.pid !== undefined) killGroup(child.pid, 'SIGKILL');
      resolve({ exitCode: exitCodeOf(code, signal) });
    });
  });
}
