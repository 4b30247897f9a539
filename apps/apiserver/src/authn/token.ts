import type { IncomingMessage } from 'node:http';
import type { UserInfo } from '@orrery/registry';

export interface TokenUser {
  readonly user: UserInfo;
  readonly audiences: readonly string[];
}

/** Where something is told of the use of a token. */
export interface TokenNotes {
  /** To who uses it. */
  warn(text: string): void;
  /** In the audit log. */
  annotate?(key: string, value: string): void;
}

/** Knows some bearer tokens. Undefined = not one of mine; an error = mine, but bad. */
export interface TokenAuthenticator {
  authenticateToken(
    token: string,
    audiences: readonly string[],
    notes?: TokenNotes,
  ): Promise<TokenUser | undefined>;
}

const WEBSOCKET_PREFIX = 'base64url.bearer.authorization.k8s.io.';

/** The bearer token of a request: in Authorization, or as a WebSocket subprotocol where a browser can set no header. */
export function bearerToken(headers: IncomingMessage['headers']): string | undefined {
  const [scheme, token] = (headers.authorization ?? '').trim().split(/\s+/, 2);
  if (scheme?.toLowerCase() === 'bearer' && token) return token;
  for (const offered of (headers['sec-websocket-protocol'] ?? '').split(',')) {
    const protocol = offered.trim();
    if (protocol.startsWith(WEBSOCKET_PREFIX))
      return Buffer.from(protocol.slice(WEBSOCKET_PREFIX.length), 'base64url').toString();
  }
  return undefined;
}
