import { spawn } from 'node:child_process';

/** Ends processes and removes folders when this process is gone, however it went. */
export interface ProcessGuard {
  /** Replaces the processes to end. */
  guard(pids: readonly number[]): void;
  /** Calls the guard off; the folders are removed now. */
  release(): void;
}

/** Waits for the end of its input, which the death of the parent closes too; the last line read names the pids. */
const SCRIPT =
  'pids=; while read -r line; do pids=$line; done; [ -n "$pids" ] && kill -9 $pids 2>/dev/null; rm -rf "$@"';

export function startProcessGuard(folders: readonly string[]): ProcessGuard {
  const child = spawn('sh', ['-c', SCRIPT, 'guard', ...folders], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // A Ctrl-C that ends the test run must not end the guard first.
    detached: true,
  });
  child.unref();
  const { stdin } = child;
  if ('unref' in stdin && typeof stdin.unref === 'function') stdin.unref();
  stdin.on('error', () => undefined);
  return {
    guard: (pids) => {
      stdin.write(`${pids.join(' ')}\n`);
    },
    release: () => {
      stdin.end('\n');
    },
  };
}
