import { SystemClock } from '@orrery/component';

export interface EventuallyOptions {
  /** Default 5,000. */
  readonly timeoutMs?: number;
  /** Default 20. */
  readonly intervalMs?: number;
}

/** Repeats `fn` until it neither throws nor answers false, and answers its value; throws its last error when the time is over. */
export async function eventually<T>(
  fn: () => T | Promise<T>,
  { timeoutMs = 5000, intervalMs = 20 }: EventuallyOptions = {},
): Promise<T> {
  const clock = new SystemClock();
  const deadline = clock.monotonic() + timeoutMs;
  for (;;) {
    let failure: unknown;
    try {
      const value = await fn();
      if (value !== false) return value;
      failure = new Error(`still false after ${timeoutMs} ms: ${fn.toString()}`);
    } catch (error) {
      failure = error;
    }
    if (clock.monotonic() >= deadline) throw failure;
    await clock.sleep(intervalMs);
  }
}
