import type { IncomingMessage } from 'node:http';
import type { RequestContext, UserInfo } from '@orrery/registry';
import type { RequestInfo } from './request-info.js';

/** What authenticators see; the same for plain requests and upgrades. */
export interface AuthenticationInput {
  readonly raw: IncomingMessage;
  readonly headers: IncomingMessage['headers'];
  readonly query: URLSearchParams;
  /** What is asked for; absent = as the request line says. */
  readonly info?: RequestInfo;
  /** Where something is told of the credentials. */
  readonly context?: Pick<RequestContext, 'warn' | 'annotate'>;
}

/** Says who asks. Undefined = no credentials that this authenticator knows; a StatusError (401) = bad credentials. */
export interface Authenticator {
  authenticate(input: AuthenticationInput): Promise<UserInfo | undefined> | UserInfo | undefined;
}

export const AUTHENTICATOR = Symbol('Authenticator');

export const ANONYMOUS: UserInfo = {
  name: 'system:anonymous',
  groups: ['system:unauthenticated'],
};

export const ADMIN: UserInfo = {
  name: 'system:admin',
  groups: ['system:masters', 'system:authenticated'],
};

/** Everybody is the administrator: for a server without authentication. */
export const everybodyIsAdmin: Authenticator = { authenticate: () => ADMIN };
