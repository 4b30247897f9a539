import type { Outcome, Verb } from './operation.js';
import { isWrite } from './operation.js';

/** What came back of a request: a status code with its reason, or nothing (timeout, reset, closed). */
export interface Reply {
  readonly code?: number;
  readonly reason?: string;
}

/** Refusals that a 5xx answer gives before anything is written. */
const BEFORE_THE_WRITE = new Set(['ResourceVersionTooLarge']);

/**
 * The outcome of a request. A refusal (4xx) proves that nothing was written; a write without an answer, or with a 5xx, is
 * unknown; a read without an answer says nothing and is to be dropped (`undefined`).
 */
export function classifyOutcome(f: Verb, reply: Reply): Outcome | undefined {
  const { code, reason } = reply;
  if (code !== undefined && code >= 200 && code < 300) return 'ok';
  if (code !== undefined && code >= 400 && code < 500) return 'fail';
  if (reason !== undefined && BEFORE_THE_WRITE.has(reason)) return 'fail';
  return isWrite(f) ? 'unknown' : undefined;
}
