import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { machineTime } from '@orrery/component';
import type { Clock } from '@orrery/component';
import { CriError } from '@orrery/cri';
import { exitCodeOf, signalNumber } from '../engine/task.js';
import type { Exit, StopSignal, Task, Usage } from '../engine/task.js';
import type { LogStream } from '../logs/cri-log.js';
import type { Launch } from './environment.js';
import { makeFifos, openFifoForChild, readFifo } from './fifo.js';
import { hasRoot, isUnderWay, sessionUsage, startOf } from './proc-stat.js';

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

/** How long a command that computes has to say what SIGTERM shall do, and how often that is looked at. */
const BEGIN_MS = 1_000;
const BEGIN_POLL_MS = 10;

/**
 * Signals a command once it is set up and does its own work: before that the first process of a container that says
 * nothing about a signal would not be ended by it, since it is the first of its pid namespace.
 */
export async function signalCommand(
  command: { readonly pid: number; readonly pidStart: string; readonly root?: string | undefined },
  name: StopSignal,
  given: Clock,
): Promise<void> {
  const { pid, pidStart, root } = command;
  const clock = machineTime(given);
  const number = signalNumber(name);
  const isSetUp = (): boolean => root === undefined || hasRoot(pid, root);
  const lives = (): boolean => startOf(pid) === pidStart;
  for (let left = BEGIN_MS; name !== 'SIGKILL' && left > 0 && lives(); left -= BEGIN_POLL_MS) {
    while (!isSetUp() && lives()) await clock.sleep(BEGIN_POLL_MS);
    if (isUnderWay(pid, number)) break;
    await clock.sleep(BEGIN_POLL_MS);
  }
  killGroup(pid, name);
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
    private readonly how: { readonly clock: Clock; readonly root?: string | undefined },
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
      const stdin = child.stdin ?? undefined;
      const how = { clock: options.clock, root: launch.root };
      return new ProcessTask(pid, startOf(pid) ?? '', exited, stdin, how);
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
    return new ProcessTask(pid, pidStart, watch(), undefined, { clock: options.clock });
  }

  signal(name: StopSignal): void {
    const { pid, pidStart, how } = this;
    void signalCommand({ pid, pidStart, root: how.root }, name, how.clock);
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
