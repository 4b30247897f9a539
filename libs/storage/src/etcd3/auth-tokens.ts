import { createRequire } from 'node:module';
import type { Interceptor } from '@grpc/grpc-js';

/** What etcd says of a token that it no longer takes: expired, lost in a restart, or older than a change of users or roles. */
const STALE_TOKEN = /auth token is stale|revision of auth store is old/;
const INVALID_TOKEN = /invalid auth token/;

/** True when the same call with a new token may succeed; nothing was done then. */
export const isStaleToken = (error: unknown): boolean => STALE_TOKEN.test(String(error));

/**
 * The token of a user, shared by all calls and streams of a client. etcd3's own handling renews it for unary calls
 * only, and opens a channel that it never closes for each login.
 */
export class AuthTokens {
  private current: Promise<string> | undefined;

  constructor(private readonly logIn: () => Promise<string>) {}

  /** The token in use; the first caller, and the first after {@link renew}, logs in for all. */
  token(): Promise<string> {
    if (this.current) return this.current;
    const current = this.logIn();
    this.current = current;
    current.catch(() => {
      if (this.current === current) this.current = undefined;
    });
    return current;
  }

  /** The next caller logs in again. */
  renew(): void {
    this.current = undefined;
  }
}

const load = createRequire(import.meta.url);

/**
 * Adds fields to a call's metadata. An invalid token gets another name on the way back: at the name etcd gives it, etcd3 repeats the
 * call at once and without end, with the token that is given here.
 */
export function withMetadata(fields: Readonly<Record<string, string>>): Interceptor {
  const { InterceptingCall } = load('@grpc/grpc-js') as typeof import('@grpc/grpc-js');
  return (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start(metadata, _listener, next) {
        for (const [name, value] of Object.entries(fields)) metadata.set(name, value);
        next(metadata, {
          onReceiveMetadata: (received, pass) => pass(received),
          onReceiveMessage: (message, pass) => pass(message),
          onReceiveStatus: (status, pass) => {
            const details = status.details.replace(INVALID_TOKEN, 'the auth token is stale');
            pass({ ...status, details });
          },
        });
      },
    });
}
