import { createLocalJWKSet, decodeJwt, errors, jwtVerify } from 'jose';
import type { JSONWebKeySet } from 'jose';
import { TokenError } from './service-account-token.js';

/** Claims of a token whose signature and times are good. */
export type VerifiedClaims = Readonly<Record<string, unknown>>;

export interface VerifyOptions {
  readonly issuer: string;
  /** `RS256`, `ES256` … */
  readonly algorithms: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The token is signed by a key that is not in the set: the issuer may have new ones. */
export class UnknownKeyError extends TokenError {}

/** Who says to have made a token; undefined when it is no JWT. Nothing is checked. */
export function issuerOfToken(token: string): string | undefined {
  if (token.split('.').length !== 3) return undefined;
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

/** The claims of a token of an issuer whose keys are known. Throws TokenError, or UnknownKeyError. */
export async function verifyToken(
  token: string,
  keys: unknown,
  { issuer, algorithms, now }: VerifyOptions,
): Promise<VerifiedClaims> {
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet(keys as JSONWebKeySet), {
      issuer,
      algorithms: [...algorithms],
      currentDate: new Date(now),
      requiredClaims: ['exp'],
    });
    return payload;
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey)
      throw new UnknownKeyError('the token is signed by an unknown key', { cause: error });
    const why = error instanceof Error ? error.message : String(error);
    throw new TokenError(why, { cause: error });
  }
}
