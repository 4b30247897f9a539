/** Cancels a timer; safe to call twice. */
export type Cancel = () => void;

/** The only source of time for components. */
export interface Clock {
  /** Milliseconds since the Unix epoch: for stored times. */
  now(): number;
  /** Milliseconds that never go back: for deadlines and durations. */
  monotonic(): number;
  /** Calls back once after `ms`; does not keep the process alive by itself when `unref` is set. */
  after(ms: number, callback: () => void, options?: { readonly unref?: boolean }): Cancel;
  /** Resolves after `ms`, or rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** The machine's time, of a clock that can be put ahead of it: for waits on what no step hurries, such as etcd. */
  readonly machine?: Clock;
  /** Keeps a clock that can be put ahead where it is while work is under way, which takes the machine's time. */
  hold?(): Cancel;
}

/** The machine's time, whatever clock a cluster goes by. */
export const machineTime = (clock: Clock): Clock => clock.machine ?? clock;

/** Does the work; a step of the clock waits for it. */
export async function holding<T>(clock: Clock, work: () => Promise<T>): Promise<T> {
  const release = clock.hold?.();
  try {
    return await work();
  } finally {
    release?.();
  }
}

export const CLOCK = Symbol('Clock');

/** The machine's time. */
export class SystemClock implements Clock {
  now(): number {
    return Date.now();
  }

  monotonic(): number {
    return performance.now();
  }

  after(ms: number, callback: () => void, options: { readonly unref?: boolean } = {}): Cancel {
    const timer = setTimeout(callback, ms);
    if (options.unref) timer.unref();
    return () => {
      clearTimeout(timer);
    };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepBy(this, ms, signal);
  }
}

/** Clock.sleep by means of Clock.after. */
export function sleepBy(
  clock: Pick<Clock, 'after'>,
  ms: number,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = (): void => {
      cancel();
      reject(signal?.reason as Error);
    };
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** `2026-01-02T03:04:05Z`: metav1.Time. */
export function toTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** `2026-01-02T03:04:05.678000Z`: metav1.MicroTime. */
export function toMicroTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 23)}000Z`;
}
