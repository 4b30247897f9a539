/**
 * malformed: not the PEM, certificate, request or address it should be. badSignature: a request that its
 * key's owner did not sign. mismatch: certificate and key are not a pair. unsupported: a key that cannot sign.
 */
export type PkiErrorCode = 'malformed' | 'badSignature' | 'mismatch' | 'unsupported';

/** What was given cannot be used; `code` says why. */
export class PkiError extends Error {
  override readonly name = 'PkiError';

  constructor(
    readonly code: PkiErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Runs `read`; whatever it throws becomes a malformed PkiError that says `what` could not be read. */
export function readOrRefuse<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof PkiError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new PkiError('malformed', `${what}: ${why}`, { cause: error });
  }
}
