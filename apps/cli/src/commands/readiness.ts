import type { Clock } from '@orrery/component';
import { ConfigError } from '@orrery/component';
import type { ClusterFiles } from '../cluster/layout.js';
import { endOf, lastLines } from './log-tail.js';

const WAIT_MS = 60_000;
const POLL_MS = 20;
const LOG_LINES = 8;

export interface ReadyWait {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly files: ClusterFiles;
  /** What is waited for: its log is quoted when it does not come. */
  readonly what: string;
}

/** Asks until the answer is yes. Throws ConfigError with the end of the log after a minute, and when the signal aborts. */
export async function whenReady(wait: ReadyWait, isReady: () => Promise<boolean>): Promise<void> {
  const deadline = wait.clock.monotonic() + WAIT_MS;
  let last: unknown;
  while (wait.clock.monotonic() < deadline) {
    try {
      if (await isReady()) return;
    } catch (error) {
      last = error;
    }
    wait.signal.throwIfAborted();
    await wait.clock.sleep(POLL_MS, wait.signal);
  }
  const log = wait.files.logs(`${wait.what}.log`);
  throw new ConfigError(
    `${wait.what} did not become ready within ${WAIT_MS / 1000} s; the end of ${log}:\n${lastLines(endOf(log), LOG_LINES)}`,
    { cause: last },
  );
}
