/** Input that is not the document it claims to be; the boundary turns it into 400 BadRequest. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}

/** Nesting beyond this is refused before any recursion sees it. */
export const MAX_DEPTH = 1000;
export const TOO_DEEP = 'exceeded max depth';
