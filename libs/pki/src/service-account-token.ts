import type { KeyObject } from 'node:crypto';
import { SignJWT, decodeProtectedHeader, errors, exportJWK, jwtVerify } from 'jose';
import type { JWK, JWTPayload } from 'jose';
import { keyId } from './keys.js';
import type { KeyPair } from './keys.js';

export interface NamedUid {
  readonly name: string;
  readonly uid: string;
}

/** What a token is bound to; the token dies with the object. */
export interface TokenBinding {
  readonly pod?: NamedUid;
  readonly secret?: NamedUid;
  readonly node?: { readonly name: string; readonly uid?: string };
}

export interface ServiceAccountIdentity extends NamedUid {
  readonly namespace: string;
}

/** The `kubernetes.io` claim (k8s pkg/serviceaccount/claims.go). */
export interface KubernetesClaim extends TokenBinding {
  readonly namespace: string;
  readonly serviceaccount: NamedUid;
  readonly warnafter?: number;
}

export interface SignOptions {
  readonly serviceAccount: ServiceAccountIdentity;
  readonly binding?: TokenBinding;
  readonly audiences: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** `jti`: what the token is traced by. */
  readonly id: string;
  readonly expirationSeconds: number;
  /** Seconds after which use of the token warns (tokens that were extended for old clients). */
  readonly warnAfterSeconds?: number;
}

/** The claims of a verified service-account token. */
export interface ServiceAccountClaims {
  readonly subject: string;
  readonly audiences: readonly string[];
  readonly id?: string;
  readonly expiresAt?: number;
  readonly issuedAt?: number;
  readonly kubernetes: KubernetesClaim;
  /** Made by the token controller for a Secret: no expiry. */
  readonly legacy: boolean;
}

const LEGACY_ISSUER = 'kubernetes/serviceaccount';
const LEGACY_PREFIX = 'kubernetes.io/serviceaccount/';

/** Why a token was refused. */
export class TokenError extends Error {
  override readonly name = 'TokenError';
}

const algorithmOf = (key: KeyObject): 'RS256' | 'ES256' =>
  key.asymmetricKeyType === 'rsa' ? 'RS256' : 'ES256';

const seconds = (ms: number): number => Math.floor(ms / 1000);

/** `system:serviceaccount:<namespace>:<name>`. */
export function serviceAccountUsername(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

/** Signs service-account tokens with the cluster's key. */
export class ServiceAccountTokenSigner {
  readonly #kid: string;

  constructor(
    private readonly keys: KeyPair,
    private readonly issuer: string,
  ) {
    this.#kid = keyId(keys.publicKey);
  }

  /** A bound token, as serviceaccounts/token answers. */
  sign(options: SignOptions): Promise<string> {
    const { serviceAccount: account, binding = {}, now } = options;
    const issued = seconds(now);
    const claim: KubernetesClaim = {
      namespace: account.namespace,
      ...(binding.node ? { node: binding.node } : {}),
      ...(binding.pod ? { pod: binding.pod } : {}),
      ...(binding.secret ? { secret: binding.secret } : {}),
      serviceaccount: { name: account.name, uid: account.uid },
      ...(options.warnAfterSeconds ? { warnafter: issued + options.warnAfterSeconds } : {}),
    };
    return this.#sign({
      aud: [...options.audiences],
      exp: issued + options.expirationSeconds,
      iat: issued,
      iss: this.issuer,
      jti: options.id,
      'kubernetes.io': claim,
      nbf: issued,
      sub: serviceAccountUsername(account.namespace, account.name),
    });
  }

  /** A token without expiry for a Secret of type kubernetes.io/service-account-token. */
  signLegacy(account: ServiceAccountIdentity, secretName: string): Promise<string> {
    return this.#sign({
      iss: LEGACY_ISSUER,
      sub: serviceAccountUsername(account.namespace, account.name),
      [`${LEGACY_PREFIX}namespace`]: account.namespace,
      [`${LEGACY_PREFIX}secret.name`]: secretName,
      [`${LEGACY_PREFIX}service-account.name`]: account.name,
      [`${LEGACY_PREFIX}service-account.uid`]: account.uid,
    });
  }

  #sign(payload: JWTPayload): Promise<string> {
    const { privateKey } = this.keys;
    return new SignJWT(payload)
      .setProtectedHeader({ alg: algorithmOf(privateKey), kid: this.#kid })
      .sign(privateKey);
  }
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

function legacyClaims(payload: JWTPayload): KubernetesClaim {
  const part = (name: string): string => text(payload[`${LEGACY_PREFIX}${name}`]);
  return {
    namespace: part('namespace'),
    serviceaccount: { name: part('service-account.name'), uid: part('service-account.uid') },
    secret: { name: part('secret.name'), uid: '' },
  };
}

function isKubernetesClaim(value: unknown): value is KubernetesClaim {
  if (typeof value !== 'object' || value === null) return false;
  const { namespace, serviceaccount } = value as Partial<KubernetesClaim>;
  return typeof namespace === 'string' && typeof serviceaccount?.name === 'string';
}

/** Checks signature, issuer, times and audience of service-account tokens. */
export class ServiceAccountTokenVerifier {
  readonly #keys: ReadonlyMap<string, KeyObject>;

  constructor(
    publicKeys: readonly KeyObject[],
    private readonly issuers: readonly string[],
  ) {
    this.#keys = new Map(publicKeys.map((key) => [keyId(key), key]));
  }

  /** False when the token is plainly not one of ours, so that another authenticator may look at it. */
  looksOurs(token: string): boolean {
    const body = token.split('.')[1];
    if (!body || token.split('.').length !== 3) return false;
    try {
      const { iss } = JSON.parse(Buffer.from(body, 'base64url').toString()) as { iss?: unknown };
      return typeof iss === 'string' && (iss === LEGACY_ISSUER || this.issuers.includes(iss));
    } catch {
      return false;
    }
  }

  /** Throws TokenError. Legacy tokens are taken to be for every audience asked. */
  async verify(
    token: string,
    { audiences, now }: { readonly audiences: readonly string[]; readonly now: number },
  ): Promise<ServiceAccountClaims> {
    const payload = await this.#payload(token, now);
    const legacy = payload.iss === LEGACY_ISSUER;
    const claim = legacy ? legacyClaims(payload) : payload['kubernetes.io'];
    if (!isKubernetesClaim(claim)) throw new TokenError('the token has no kubernetes.io claim');
    const subject = serviceAccountUsername(claim.namespace, claim.serviceaccount.name);
    if (payload.sub !== subject) throw new TokenError("the token's subject does not match");
    const own = legacy ? audiences : [payload.aud ?? []].flat();
    const matching = own.filter((a) => audiences.includes(a));
    if (matching.length === 0)
      throw new TokenError(
        `token audiences ${JSON.stringify(own)} is invalid for the target audiences ${JSON.stringify(audiences)}`,
      );
    return {
      subject,
      audiences: matching,
      ...(payload.jti ? { id: payload.jti } : {}),
      ...(payload.exp ? { expiresAt: payload.exp } : {}),
      ...(payload.iat ? { issuedAt: payload.iat } : {}),
      kubernetes: claim,
      legacy,
    };
  }

  async #payload(token: string, now: number): Promise<JWTPayload> {
    let failure: unknown = new TokenError('the token is signed by an unknown key');
    for (const key of this.#candidates(token)) {
      try {
        const { payload } = await jwtVerify(token, key, {
          algorithms: ['RS256', 'ES256'],
          issuer: [LEGACY_ISSUER, ...this.issuers],
          currentDate: new Date(now),
        });
        return payload;
      } catch (error) {
        failure = error;
      }
    }
    if (failure instanceof errors.JWTExpired)
      throw new TokenError('service account token has expired', { cause: failure });
    if (failure instanceof TokenError) throw failure;
    throw new TokenError('the token is invalid', { cause: failure });
  }

  /** The key that the token names; all when it names none, as tokens of old token controllers. */
  #candidates(token: string): KeyObject[] {
    let kid: string | undefined;
    try {
      ({ kid } = decodeProtectedHeader(token));
    } catch {
      return [];
    }
    if (kid === undefined) return [...this.#keys.values()];
    const named = this.#keys.get(kid);
    return named ? [named] : [];
  }
}

/** The public keys as a JWK set, for /openid/v1/jwks. */
export async function toJwks(publicKeys: readonly KeyObject[]): Promise<{ keys: JWK[] }> {
  const keys = publicKeys.map(async (key) => ({
    ...(await exportJWK(key)),
    use: 'sig',
    kid: keyId(key),
    alg: algorithmOf(key),
  }));
  return { keys: await Promise.all(keys) };
}
