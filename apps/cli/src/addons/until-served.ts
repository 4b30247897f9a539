import { StatusError } from '@orrery/apimachinery';
import { isConnectionError } from '@orrery/client';
import type { Clock } from '@orrery/component';
import { ConfigError } from '@orrery/component';

const POLL_MS = 250;
/** Of its own namespaces and roles an API server says first that they are not there. */
const SOON = [404, 408, 429];

const mayPass = (error: unknown): boolean =>
  isConnectionError(error) ||
  (error instanceof StatusError && (SOON.includes(error.code) || error.code >= 500));

export interface ServedWait {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly waitMs: number;
}

/**
 * Does it again until no server was away meanwhile: while a cluster starts, servers come and go. What is done must be such
 * that doing it twice is doing it once. Throws ConfigError in one line when the time is over.
 */
export async function untilServed(
  { clock, signal, waitMs }: ServedWait,
  go: () => Promise<void>,
): Promise<void> {
  const deadline = clock.monotonic() + waitMs;
  for (;;) {
    try {
      await go();
      return;
    } catch (error) {
      if (!mayPass(error)) throw error;
      if (clock.monotonic() > deadline)
        throw new ConfigError(
          `the API server did not do all that was asked within ${waitMs / 1000} s: ${(error as Error).message}`,
          { cause: error },
        );
      await clock.sleep(POLL_MS, signal);
    }
  }
}
