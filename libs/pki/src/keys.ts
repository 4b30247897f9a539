import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** A new EC P-256 key pair: what every certificate and the service-account key use. */
export function generateKeyPair(): KeyPair {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

/** PEM as Go's keyutil writes it: SEC 1 for EC keys, PKCS 1 for RSA keys. */
export function privateKeyToPem(key: KeyObject): string {
  const type = key.asymmetricKeyType === 'rsa' ? 'pkcs1' : 'sec1';
  return key.export({ format: 'pem', type }).toString();
}

export function publicKeyToPem(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'spki' }).toString();
}

/** The pair of a private key in PEM (PKCS 8, PKCS 1 or SEC 1). Throws what node:crypto throws. */
export function parsePrivateKey(pem: string | Buffer): KeyPair {
  const privateKey = createPrivateKey(pem);
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

/** All public keys in a PEM file, which may also hold private keys and certificates (kube-apiserver --service-account-key-file). */
export function parsePublicKeys(pem: string): readonly KeyObject[] {
  const blocks = pem.match(/-----BEGIN [A-Z0-9 ]+-----[\s\S]+?-----END [A-Z0-9 ]+-----/g) ?? [];
  return blocks
    .filter((block) => !block.includes('EC PARAMETERS'))
    .map((block) => createPublicKey(block));
}

const spki = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'spki' });

/** The `kid` of a service-account key (k8s pkg/serviceaccount/jwt.go keyIDFromPublicKey). */
export function keyId(publicKey: KeyObject): string {
  return createHash('sha256').update(spki(publicKey)).digest('base64url');
}

/** RFC 5280 4.2.1.2 method 1: SHA-1 of the subjectPublicKey bits. */
export function subjectKeyId(publicKeyBits: Uint8Array): Buffer {
  return createHash('sha1').update(publicKeyBits).digest();
}
