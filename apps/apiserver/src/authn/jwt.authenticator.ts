import type { Clock } from '@orrery/component';
import { TokenError, UnknownKeyError, issuerOfToken, verifyToken } from '@orrery/pki';
import type { VerifiedClaims } from '@orrery/pki';
import type { UserInfo } from '@orrery/registry';
import type { Expression } from '../expressions/expression.js';
import { ExpressionError } from '../expressions/expression.js';
import { getJson } from '../webhooks/https-get.js';
import type { TokenAuthenticator, TokenUser } from './token.js';

/** A claim that becomes part of the user, with what is put in front of it. */
export interface PrefixedClaim {
  readonly claim: string;
  readonly prefix: string;
}

/** A part of the user that an expression makes of the claims. */
export interface ClaimExpression {
  readonly expression: Expression;
}

/** What must be true, and what is said when it is not. */
export interface ValidationRule {
  readonly expression: Expression;
  readonly message: string;
}

/** An issuer of tokens and how its claims are read (--oidc-* or one entry of AuthenticationConfiguration). */
export interface JwtIssuer {
  readonly url: string;
  /** Default: below `url`. */
  readonly discoveryUrl?: string;
  readonly ca?: string;
  /** The token must be for one of them. */
  readonly audiences: readonly string[];
  readonly algorithms: readonly string[];
  readonly username: PrefixedClaim | ClaimExpression;
  readonly groups?: PrefixedClaim | ClaimExpression;
  readonly uid?: string | ClaimExpression;
  /** More fields of the user, by key. */
  readonly extra?: readonly (ClaimExpression & { readonly key: string })[];
  readonly requiredClaims: Readonly<Record<string, string>>;
  /** About the claims. */
  readonly claimRules?: readonly ValidationRule[];
  /** About the user that was made of them. */
  readonly userRules?: readonly ValidationRule[];
}

/** Keys are asked for again at most this often when a token names an unknown one. */
const REFRESH_MS = 5000;
const DISCOVERY = '/.well-known/openid-configuration';

function textClaim(claims: VerifiedClaims, claim: string, what: string): string {
  const value = claims[claim];
  if (value === undefined)
    throw new TokenError(`oidc: parse ${what} claims ${JSON.stringify(claim)}: claim not present`);
  if (typeof value !== 'string')
    throw new TokenError(`oidc: parse ${what} claims ${JSON.stringify(claim)}: not a string`);
  return value;
}

/** Does `work`; what fails is told as upstream does. */
function evaluated<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw new TokenError(`oidc: error evaluating ${what}: ${error.message}`);
  }
}

function textOf({ expression }: ClaimExpression, claims: VerifiedClaims, what: string): string {
  return evaluated(`${what} claim expression`, () => {
    const value = expression.evaluate({ claims });
    if (typeof value !== 'string')
      throw new ExpressionError(`${what} claim expression must return a string`);
    return value;
  });
}

/** A text or a list of texts; what is empty is left out. */
function textsOf({ expression }: ClaimExpression, claims: VerifiedClaims, what: string): string[] {
  return evaluated(`${what} claim expression`, () => {
    const value = expression.evaluate({ claims });
    const all: unknown[] = Array.isArray(value) ? value : value === null ? [] : [value];
    return all.flatMap((one) => {
      if (typeof one !== 'string')
        throw new ExpressionError('expression must return a string or a list of strings');
      return one === '' ? [] : [one];
    });
  });
}

function checkRules(
  rules: readonly ValidationRule[] | undefined,
  documents: Readonly<Record<string, unknown>>,
  what: string,
): void {
  for (const { expression, message } of rules ?? [])
    evaluated(what, () => {
      if (expression.evaluate(documents) === true) return;
      throw new ExpressionError(`validation expression '${expression.source}' failed: ${message}`);
    });
}

function groupsOf(
  claims: VerifiedClaims,
  groups: PrefixedClaim | ClaimExpression | undefined,
): string[] {
  if (groups && 'expression' in groups) return textsOf(groups, claims, 'group');
  const value = groups && claims[groups.claim];
  if (!groups || value === undefined || value === null) return [];
  const all: unknown[] = Array.isArray(value) ? value : [value];
  if (!all.every((one): one is string => typeof one === 'string'))
    throw new TokenError(`oidc: parse groups claim ${JSON.stringify(groups.claim)}: not strings`);
  return all.map((one) => `${groups.prefix}${one}`);
}

/** OpenID Connect tokens of one issuer (k8s apiserver plugin/pkg/authenticator/token/oidc). */
export class JwtAuthenticator implements TokenAuthenticator {
  private keys: Promise<unknown> | undefined;
  private fetchedAt = -Infinity;

  constructor(
    private readonly issuer: JwtIssuer,
    private readonly clock: Clock,
  ) {}

  async authenticateToken(
    token: string,
    audiences: readonly string[],
  ): Promise<TokenUser | undefined> {
    if (issuerOfToken(token) !== this.issuer.url) return undefined;
    const claims = await this.verify(token);
    this.check(claims);
    const { claimRules, userRules } = this.issuer;
    checkRules(claimRules, { claims }, 'claim validation expression');
    const user = this.userOf(claims);
    const { name: username, uid = '', groups, extra = {} } = user;
    checkRules(userRules, { user: { username, uid, groups, extra } }, 'user info validation rule');
    return { user, audiences };
  }

  /** Resolves when the issuer's keys are known. */
  async ready(): Promise<void> {
    await this.keySet();
  }

  private async verify(token: string): Promise<VerifiedClaims> {
    const { url: issuer, algorithms } = this.issuer;
    const options = { issuer, algorithms, now: this.clock.now() };
    try {
      return await verifyToken(token, await this.keySet(), options);
    } catch (error) {
      const isRecent = this.clock.monotonic() - this.fetchedAt < REFRESH_MS;
      if (!(error instanceof UnknownKeyError) || isRecent) throw error;
      this.keys = undefined;
      return verifyToken(token, await this.keySet(), options);
    }
  }

  private check(claims: VerifiedClaims): void {
    const { audiences, requiredClaims } = this.issuer;
    const given = ([claims['aud'] ?? []] as unknown[]).flat();
    if (!audiences.some((audience) => given.includes(audience)))
      throw new TokenError(
        `oidc: verify token: oidc: expected audience in ${JSON.stringify(audiences)} got ${JSON.stringify(given)}`,
      );
    for (const [claim, value] of Object.entries(requiredClaims)) {
      if (claims[claim] === undefined)
        throw new TokenError(`oidc: required claim ${claim} not present in ID token`);
      if (claims[claim] !== value)
        throw new TokenError(
          `oidc: required claim ${claim} value does not match. Got = ${JSON.stringify(claims[claim])}, want = ${value}`,
        );
    }
  }

  private userOf(claims: VerifiedClaims): UserInfo {
    const { groups } = this.issuer;
    const uid = this.uidOf(claims);
    const extra = this.extraOf(claims);
    return {
      name: this.nameOf(claims),
      groups: groupsOf(claims, groups),
      ...(uid === undefined ? {} : { uid }),
      ...(Object.keys(extra).length > 0 ? { extra } : {}),
    };
  }

  private nameOf(claims: VerifiedClaims): string {
    const { username } = this.issuer;
    if ('expression' in username) {
      const made = textOf(username, claims, 'username');
      if (made === '')
        throw new TokenError('oidc: empty username via CEL expression is not allowed');
      return made;
    }
    const name = textClaim(claims, username.claim, 'username');
    if (username.claim === 'email' && claims['email_verified'] !== undefined)
      if (claims['email_verified'] !== true) throw new TokenError('oidc: email not verified');
    return `${username.prefix}${name}`;
  }

  private uidOf(claims: VerifiedClaims): string | undefined {
    const { uid } = this.issuer;
    if (uid === undefined) return undefined;
    return typeof uid === 'string' ? textClaim(claims, uid, 'uid') : textOf(uid, claims, 'uid');
  }

  private extraOf(claims: VerifiedClaims): Record<string, string[]> {
    const made: Record<string, string[]> = {};
    const { jti } = claims;
    if (typeof jti === 'string')
      made['authentication.kubernetes.io/credential-id'] = [`JTI=${jti}`];
    for (const one of this.issuer.extra ?? []) {
      const values = textsOf(one, claims, 'extra');
      if (values.length > 0) made[one.key] = values;
    }
    return made;
  }

  /** Read at first use and kept; a failure is not kept. */
  private keySet(): Promise<unknown> {
    this.keys ??= this.fetchKeys().catch((error: unknown) => {
      this.keys = undefined;
      throw error;
    });
    return this.keys;
  }

  private async fetchKeys(): Promise<unknown> {
    const { url, discoveryUrl, ca } = this.issuer;
    this.fetchedAt = this.clock.monotonic();
    const document = await getJson(discoveryUrl ?? `${url.replace(/\/$/, '')}${DISCOVERY}`, ca);
    if (document['issuer'] !== url)
      throw new TokenError(
        `oidc: issuer did not match the issuer returned by provider, expected ${JSON.stringify(url)}`,
      );
    const { jwks_uri: keys } = document;
    if (typeof keys !== 'string' || !keys.startsWith('https://'))
      throw new TokenError('oidc: the provider names no jwks_uri');
    return getJson(keys, ca);
  }
}
