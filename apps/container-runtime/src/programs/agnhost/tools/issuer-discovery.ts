import { createPublicKey, verify } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fatal } from '../agnhost.js';
import type { Agnhost, SubCommand } from '../agnhost.js';
import { parseFlags } from '../flags.js';
import { InClusterApi } from './in-cluster.js';

interface Claims {
  readonly iss: string;
  readonly aud: string | readonly string[];
  readonly exp: number;
}

interface Jwk extends JsonWebKey {
  readonly kid?: string;
}

const decode = (part: string | undefined): unknown =>
  JSON.parse(Buffer.from(part ?? '', 'base64url').toString('utf8'));

function isSignedBy(key: KeyObject, token: string, algorithm: string): boolean {
  const [head = '', body = '', signature = ''] = token.split('.');
  const data = Buffer.from(`${head}.${body}`);
  const given = Buffer.from(signature, 'base64url');
  return algorithm.startsWith('ES')
    ? verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, given)
    : verify('RSA-SHA256', data, key, given);
}

function checkClaims(host: Agnhost, claims: Claims, audience: string): void {
  const audiences = typeof claims.aud === 'string' ? [claims.aud] : claims.aud;
  if (!audiences.includes(audience))
    throw new Fatal(`oidc: expected audience "${audience}" got ${JSON.stringify(audiences)}`);
  if (claims.exp * 1000 < host.clock.now()) throw new Fatal('oidc: token is expired');
}

type FetchJson = (url: string) => Promise<unknown>;

/** Checks the token against what its issuer publishes. */
async function validate(
  host: Agnhost,
  { token, audience, fetchJson }: { token: string; audience: string; fetchJson: FetchJson },
): Promise<void> {
  const [head, body] = token.split('.');
  const { alg, kid } = decode(head) as { alg: string; kid?: string };
  const claims = decode(body) as Claims;
  host.log(`OK: got issuer ${claims.iss}`);
  host.log(`Full, not-validated claims: \n${JSON.stringify(claims)}`);
  const issuer = claims.iss.replace(/\/$/, '');
  const metadata = (await fetchJson(`${issuer}/.well-known/openid-configuration`)) as {
    issuer: string;
    jwks_uri: string;
  };
  if (metadata.issuer !== claims.iss)
    throw new Fatal(
      `oidc: issuer did not match the issuer returned by provider, expected "${claims.iss}" got "${metadata.issuer}"`,
    );
  host.log(`OK: Constructed OIDC provider for issuer ${claims.iss}`);
  const { keys } = (await fetchJson(metadata.jwks_uri)) as { keys: Jwk[] };
  const signed = keys
    .filter((jwk) => kid === undefined || jwk.kid === kid)
    .some((jwk) => isSignedBy(createPublicKey({ key: jwk, format: 'jwk' }), token, alg));
  if (!signed) throw new Fatal('failed to verify signature: failed to verify id token signature');
  checkClaims(host, claims, audience);
  host.log('OK: Validated signature on JWT');
  host.log('OK: Got valid claims from token!');
  host.log(`Full, validated claims: \n${JSON.stringify(claims)}`);
}

/**
 * k8s test/images/agnhost/openidmetadata: checks a mounted token against the issuer's published keys, which are asked for with the pod's
 * own token, and where that fails without one.
 */
export const issuerDiscovery: SubCommand = async (host) => {
  const { flags } = parseFlags(host.args, {
    'token-path': '',
    audience: '',
    // Images of before 1.21 asked with a token only where this said so.
    'in-cluster-discovery': false,
  });
  const api = new InClusterApi(host);
  const asking =
    (bearer: string | undefined): FetchJson =>
    async (url) => {
      const { status, body } = await api.get(url, bearer);
      if (status !== 200) throw new Fatal(`${status}: ${body}`);
      return JSON.parse(body);
    };
  const token = readFileSync(join(host.root, flags['token-path']), 'utf8').trim();
  host.log('OK: Got token');
  const given = { token, audience: flags.audience };
  host.log('validating with in-cluster discovery');
  try {
    await validate(host, { ...given, fetchJson: asking(api.token()) });
    return 0;
  } catch (error) {
    host.log(
      `failed to validate with in-cluster discovery: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  host.log('falling back to validating with external discovery');
  await validate(host, { ...given, fetchJson: asking(undefined) });
  return 0;
};
