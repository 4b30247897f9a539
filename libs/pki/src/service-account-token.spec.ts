import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  ServiceAccountTokenSigner,
  ServiceAccountTokenVerifier,
  generateKeyPair,
  keyId,
  parsePublicKeys,
  privateKeyToPem,
  publicKeyToPem,
  toJwks,
} from './index.js';

const ISSUER = 'https://kubernetes.default.svc.cluster.local';
const NOW = Date.parse('2026-11-21T00:00:00Z');
const keys = await generateKeyPair();
const signer = new ServiceAccountTokenSigner(keys, ISSUER);
const verifier = new ServiceAccountTokenVerifier([keys.publicKey], [ISSUER]);
const serviceAccount = { namespace: 'default', name: 'default', uid: 'u1' };
const sign = (): Promise<string> =>
  signer.sign({
    serviceAccount,
    binding: { pod: { name: 'p', uid: 'u2' }, node: { name: 'n', uid: 'u3' } },
    audiences: [ISSUER],
    now: NOW,
    id: 'j1',
    expirationSeconds: 3600,
    warnAfterSeconds: 3607,
  });

describe('ServiceAccountTokenVerifier', () => {
  it('reads back what the signer bound', async () => {
    const claims = await verifier.verify(await sign(), { audiences: [ISSUER], now: NOW });
    expect(claims).toMatchObject({
      subject: 'system:serviceaccount:default:default',
      audiences: [ISSUER],
      id: 'j1',
      expiresAt: NOW / 1000 + 3600,
      legacy: false,
      kubernetes: {
        namespace: 'default',
        serviceaccount: { name: 'default', uid: 'u1' },
        pod: { name: 'p', uid: 'u2' },
        warnafter: NOW / 1000 + 3607,
      },
    });
  });

  it('takes a legacy token of a secret for any audience', async () => {
    const token = await signer.signLegacy(serviceAccount, 's1');
    const claims = await verifier.verify(token, { audiences: ['x'], now: NOW });
    expect(claims).toMatchObject({ legacy: true, kubernetes: { secret: { name: 's1' } } });
  });

  it.each([
    { name: 'an expired token', now: NOW + 3_601_000, audience: ISSUER, want: 'has expired' },
    { name: 'another audience', now: NOW, audience: 'vault', want: 'token audiences' },
  ])('refuses $name', async ({ now, audience, want }) => {
    await expect(verifier.verify(await sign(), { audiences: [audience], now })).rejects.toThrow(
      want,
    );
  });

  it('refuses a token of another key', async () => {
    const other = new ServiceAccountTokenVerifier([(await generateKeyPair()).publicKey], [ISSUER]);
    await expect(other.verify(await sign(), { audiences: [ISSUER], now: NOW })).rejects.toThrow(
      'unknown key',
    );
  });

  it('refuses a changed payload', async () => {
    const [head, body = '', mac] = (await sign()).split('.');
    const forged = `${head}.${body.slice(0, -2)}xx.${mac}`;
    await expect(verifier.verify(forged, { audiences: [ISSUER], now: NOW })).rejects.toThrow(
      'invalid',
    );
  });

  it('tells its own tokens from others', async () => {
    expect(verifier.looksOurs(await sign())).toBe(true);
    expect(verifier.looksOurs('admin-token')).toBe(false);
    expect(verifier.looksOurs('a.b.c')).toBe(false);
  });

  it('works with RSA keys', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const token = await new ServiceAccountTokenSigner(rsa, ISSUER).signLegacy(serviceAccount, 's');
    const own = new ServiceAccountTokenVerifier([rsa.publicKey], [ISSUER]);
    await expect(own.verify(token, { audiences: [ISSUER], now: NOW })).resolves.toBeDefined();
  });
});

describe('toJwks()', () => {
  it('names key, use and algorithm', async () => {
    const set = await toJwks([keys.publicKey]);
    expect(set.keys).toEqual([
      expect.objectContaining({ kty: 'EC', use: 'sig', alg: 'ES256', kid: keyId(keys.publicKey) }),
    ]);
  });
});

describe('parsePublicKeys()', () => {
  it('takes public keys from public and private PEM alike', () => {
    const pem = publicKeyToPem(keys.publicKey) + privateKeyToPem(keys.privateKey);
    expect(parsePublicKeys(pem).map(keyId)).toEqual([keyId(keys.publicKey), keyId(keys.publicKey)]);
  });
});
