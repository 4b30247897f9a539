import { spawn } from 'node:child_process';
import { CriError } from '@orrery/cri';
import { exitCodeOf } from '../engine/task.js';
import type { ExecSession } from '../engine/task.js';
import type { Launch } from './environment.js';
import { killGroup } from './process-task.js';

/** A command beside the container's own, without a terminal. Rejects when it cannot be started. */
export function execPlain(launch: Launch, wantsStdin: boolean): Promise<ExecSession> {
  const child = spawn(launch.file, [...launch.args], {
    env: { ...launch.env },
    cwd: launch.cwd,
    detached: true,
    stdio: [wantsStdin ? 'pipe' : 'ignore', 'pipe', 'pipe'],
  });
  const { pid, stdin, stdout, stderr } = child;
  const exitCode = new Promise<number>((resolve) => {
    child.once('exit', (code, signal) => {
      resolve(exitCodeOf(code, signal));
    });
  });
  stdin?.on('error', () => undefined);
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      reject(new CriError('UNKNOWN', error.message, { cause: error }));
    });
    child.once('spawn', () => {
      if (!stdout || !stderr) throw new TypeError('spawned without pipes');
      resolve({
        stdin: stdin ?? undefined,
        stdout,
        stderr,
        exitCode,
        kill: () => {
          if (pid !== undefined) killGroup(pid, 'SIGKILL');
        },
        resize: () => undefined,
      });
    });
  });
}
