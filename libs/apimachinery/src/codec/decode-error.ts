import { StatusError } from '../status-error.js';

/** Input that is not the document it claims to be; the boundary turns it into 400 BadRequest. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}

/** Nesting beyond this is refused before any recursion sees it. */
export const MAX_DEPTH = 1000;
export const TOO_DEEP = 'exceeded max depth';

/**
 * Values (scalars, lists, objects) that one document may have: each costs many times its bytes in every later step,
 * which runs on the one event loop. The largest definitions of custom resources have half of it.
 */
export const MAX_VALUES = 50_000;

/** 413 for a document of more values. */
export const tooManyValues = (limit: number): StatusError =>
  new StatusError(
    413,
    'RequestEntityTooLarge',
    `Request entity too large: limit is ${limit} values`,
  );
