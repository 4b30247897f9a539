import type { ObjectKey } from '@orrery/apimachinery';

export interface Result {
  /** Reconcile the key again after this time, if nothing asks for it before. */
  readonly requeueAfterMs?: number;
}

export interface Reconciler {
  /** Makes the world match the object named by key. Safe to repeat; throws to be retried with backoff. */
  reconcile(key: ObjectKey, signal: AbortSignal): Promise<Result>;
}

/** Nothing more to do until something changes. */
export const done: Result = {};

/** A failure that repeating cannot mend: logged once, not retried. */
export class TerminalError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TerminalError';
  }
}
