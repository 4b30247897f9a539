import { StatusError, newUnauthorized } from '@orrery/apimachinery';
import type { KubeObject } from '@orrery/apimachinery';
import type { Clock } from '@orrery/component';
import { ServiceAccountTokenVerifier } from '@orrery/pki';
import type { UserInfo } from '@orrery/registry';
import type { Storage } from '@orrery/storage';
import { ServiceAccountAuthenticator } from '../authn/service-accounts/service-account.authenticator.js';
import type { BoundObjects } from '../authn/service-accounts/service-account.authenticator.js';
import { bearerToken } from '../authn/token.js';
import { TokenUnion } from '../authn/union.authenticator.js';
import type { AuthenticationInput } from '../filters/authentication.js';
import type { TokenIssuer } from './fork-identity.js';

const finder = <T extends KubeObject>(
  storage: Storage,
  prefix: string,
): { find(name: string, namespace?: string): Promise<T | undefined> } => ({
  find: async (name, namespace) => {
    const key = `${prefix}${namespace ? `${namespace}/` : ''}${name}`;
    const entry = await storage.get(key, { freshness: { kind: 'consistent' } });
    return entry?.object as T | undefined;
  },
});

/** The service accounts of a fork, by the tokens that its own issuer has signed. */
export class ForkAccounts {
  private readonly tokens: TokenUnion;
  private readonly verifier: ServiceAccountTokenVerifier;

  constructor(
    { issuer, keys }: TokenIssuer,
    storage: Storage,
    deps: { readonly keyPrefix: string; readonly clock: Clock },
  ) {
    const { keyPrefix, clock } = deps;
    const objects: BoundObjects = {
      serviceAccounts: finder(storage, `${keyPrefix}serviceaccounts/`),
      pods: finder(storage, `${keyPrefix}pods/`),
      secrets: finder(storage, `${keyPrefix}secrets/`),
      nodes: finder(storage, `${keyPrefix}minions/`),
    };
    this.verifier = new ServiceAccountTokenVerifier([keys.publicKey], [issuer]);
    this.tokens = new TokenUnion([new ServiceAccountAuthenticator(this.verifier, objects, clock)]);
    this.audiences = [issuer];
  }

  private readonly audiences: readonly string[];

  /** The account of the request's token; undefined when there is no token of the fork's. Throws 401. */
  async authenticate({ headers }: AuthenticationInput): Promise<UserInfo | undefined> {
    const token = bearerToken(headers);
    if (token === undefined || !this.verifier.looksOurs(token)) return undefined;
    const found = await this.tokens.authenticateToken(token, this.audiences).catch(() => undefined);
    if (!found) throw newUnauthorized();
    if (headers['impersonate-user'] !== undefined)
      throw new StatusError(
        403,
        'Forbidden',
        `"${found.user.name}" is an account of a fork, which cannot impersonate others`,
      );
    return found.user;
  }
}
