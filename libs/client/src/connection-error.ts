const EXPLANATIONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing is listening there',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  ENOTFOUND: 'the host name is unknown',
  EAI_AGAIN: 'the host name cannot be looked up now',
  ETIMEDOUT: 'no answer in time',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no route to it',
  SELF_SIGNED_CERT_IN_CHAIN: "the server's certificate is not signed by the configured CA",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the server's certificate is not signed by the configured CA",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the server's certificate is not signed by the configured CA",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the server's certificate is not signed by the configured CA",
  CERT_SIGNATURE_FAILURE: "the server's certificate is not signed by the configured CA",
  CERT_HAS_EXPIRED: "the server's certificate has expired",
  CERT_NOT_YET_VALID: "the server's certificate is not valid yet",
  ERR_TLS_CERT_ALTNAME_INVALID: "the server's certificate is for other names",
  ERR_SSL_WRONG_VERSION_NUMBER: 'the server does not speak TLS',
  EPROTO: 'the TLS handshake failed',
};

const REFUSED: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH']);

const codeOf = (error: unknown): string => {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
};

/** No answer came. For a write the outcome is unknown, unless {@link neverSent}. */
export class ConnectionError extends Error {
  /** The system's error code, e.g. ECONNREFUSED, or ''. */
  readonly code: string;

  constructor(server: string, cause: unknown) {
    const code = codeOf(cause);
    const text = cause instanceof Error ? cause.message : String(cause);
    const known = EXPLANATIONS[code];
    super(`cannot reach ${server}: ${known ? `${known} (${text || code})` : text}`, { cause });
    this.name = 'ConnectionError';
    this.code = code;
  }

  /** True when no connection was made, so that the request cannot have had an effect. */
  get neverSent(): boolean {
    return REFUSED.has(this.code);
  }
}

export const isConnectionError = (error: unknown): error is ConnectionError =>
  error instanceof ConnectionError;
