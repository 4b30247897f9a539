import { newUnauthorized } from '@orrery/apimachinery';
import type { UserInfo } from '@orrery/registry';
import type { AuthenticationInput, Authenticator } from '../filters/authentication.js';
import { bearerToken } from './token.js';
import type { TokenAuthenticator, TokenNotes, TokenUser } from './token.js';

const AUTHENTICATED = 'system:authenticated';

function withGroup(user: UserInfo): UserInfo {
  if (user.groups.includes(AUTHENTICATED) || user.name === 'system:anonymous') return user;
  return { ...user, groups: [...user.groups, AUTHENTICATED] };
}

/** Asks each token authenticator in turn. An error of one counts only when no other knows the token. */
export class TokenUnion implements TokenAuthenticator {
  constructor(private readonly members: readonly TokenAuthenticator[]) {}

  async authenticateToken(
    token: string,
    audiences: readonly string[],
    notes?: TokenNotes,
  ): Promise<TokenUser | undefined> {
    let failure: unknown;
    for (const member of this.members) {
      try {
        const found = await member.authenticateToken(token, audiences, notes);
        if (found) return { ...found, user: withGroup(found.user) };
      } catch (error) {
        failure ??= error;
      }
    }
    if (failure) throw failure as Error;
    return undefined;
  }
}

/**
 * Credentials in upstream's order: front proxy, client certificate, bearer token. A token that nobody
 * knows, or a certificate of a foreign CA, is 401; no credentials at all are left to the caller (anonymous).
 */
export class UnionAuthenticator implements Authenticator {
  constructor(
    private readonly connections: readonly Authenticator[],
    private readonly tokens: TokenAuthenticator,
    private readonly audiences: readonly string[],
  ) {}

  async authenticate(input: AuthenticationInput): Promise<UserInfo | undefined> {
    let refused: unknown;
    for (const member of this.connections) {
      try {
        const user = await member.authenticate(input);
        if (user) return withGroup(user);
      } catch (error) {
        refused ??= error;
      }
    }
    const token = bearerToken(input.headers);
    if (token !== undefined) {
      const found = await this.tokens
        .authenticateToken(token, this.audiences, input.context)
        .catch(() => undefined);
      if (!found) throw newUnauthorized();
      return found.user;
    }
    if (refused) throw refused as Error;
    return undefined;
  }
}
