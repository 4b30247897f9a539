import type { KeyObject } from 'node:crypto';
import { toJwks } from '@orrery/pki';
import type { PathHandler } from '../subresources.js';

/** Lets others check our service-account tokens: the issuer's metadata and public keys. */
export async function openIdDiscovery(
  issuer: string,
  publicKeys: readonly KeyObject[],
  jwksUri: string,
): Promise<PathHandler[]> {
  const jwks = await toJwks(publicKeys);
  const algorithms = [...new Set(jwks.keys.map((key) => key.alg ?? 'RS256'))];
  const metadata = {
    issuer,
    jwks_uri: jwksUri,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: algorithms,
  };
  const serve = (path: string, contentType: string, content: unknown): PathHandler => ({
    path,
    handle: () =>
      Promise.resolve({
        status: 200,
        contentType,
        headers: { 'Cache-Control': 'public, max-age=3600' },
        body: JSON.stringify(content),
      }),
  });
  return [
    serve('/.well-known/openid-configuration', 'application/json', metadata),
    serve('/openid/v1/jwks', 'application/jwk-set+json', jwks),
  ];
}
