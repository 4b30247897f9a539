import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair as generate,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { pemBlocks } from './pem.js';

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const generateAsync = promisify(generate);

/** A new EC P-256 key pair: what every certificate and the service-account key use. */
export function generateKeyPair(): Promise<KeyPair> {
  return generateAsync('ec', { namedCurve: 'P-256' });
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
  return pemBlocks(pem)
    .filter(({ label }) => label !== 'EC PARAMETERS')
    .map(({ text }) => createPublicKey(text));
}

/** The key's subjectPublicKeyInfo in DER. */
export function toSpki(publicKey: KeyObject): Buffer {
  return publicKey.export({ format: 'der', type: 'spki' });
}

/** The `kid` of a service-account key (k8s pkg/serviceaccount/jwt.go keyIDFromPublicKey). */
export function keyId(publicKey: KeyObject): string {
  return createHash('sha256').update(toSpki(publicKey)).digest('base64url');
}
