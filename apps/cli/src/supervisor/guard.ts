import { spawn } from 'node:child_process';

/** Ends what is left of a cluster once this process has gone without stopping it, however it went. */
export interface Guard {
  /** Replaces the processes to end. */
  protect(pids: readonly number[]): void;
  /** Calls the guard off. */
  release(): void;
  /** Resolves when the guard has ended, with its work or without. */
  readonly ended: Promise<void>;
}

/**
 * Waits for the end of its input, which the death of the parent closes too; the last line read names the processes. The
 * clean-up command ends them in order; where it cannot run they are killed.
 */
const SCRIPT =
  'pids=; while read -r line; do pids=$line; done; [ -z "$pids" ] || "$@" || kill -9 $pids';

/** Starts the guard: a shell that sleeps until it is needed and then runs `cleanUp`. */
export function startGuard(cleanUp: readonly string[]): Guard {
  const child = spawn('sh', ['-c', SCRIPT, 'orrery-guard', ...cleanUp], {
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
    // What ends this process's group must not end the guard.
    detached: true,
  });
  // Without a shell there is no guard: what is left is ended at the next start.
  const ended = new Promise<void>((resolve) => {
    child.on('error', () => {
      resolve();
    });
    child.on('exit', () => {
      resolve();
    });
  });
  child.stdin.on('error', () => undefined);
  child.unref();
  return {
    protect: (pids) => {
      child.stdin.write(`${pids.join(' ')}\n`);
    },
    release: () => {
      child.stdin.end('\n');
    },
    ended,
  };
}
