import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair as generate,
  webcrypto,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { pemBlocks } from './pem.js';
import { PkiError } from './pki-error.js';

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

/** OpenSSL's names of the curves that WebCrypto has, with WebCrypto's. */
const CURVES: Readonly<Record<string, string>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
};

function signatureScheme(key: KeyObject): webcrypto.EcKeyImportParams | webcrypto.Algorithm {
  const curve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ''];
  if (key.asymmetricKeyType === 'ec' && curve) return { name: 'ECDSA', namedCurve: curve };
  if (key.asymmetricKeyType === 'ed25519') return { name: 'Ed25519' };
  throw new PkiError(
    'unsupported',
    `a ${key.asymmetricKeyType ?? 'secret'} key of this kind cannot sign`,
  );
}

/** The private key as WebCrypto signs with it: ECDSA, Ed25519, or RSA as PKCS 1 v1.5. Throws PkiError. */
export async function toSigningKey(key: KeyObject): Promise<webcrypto.CryptoKey> {
  const scheme =
    key.asymmetricKeyType === 'rsa'
      ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
      : signatureScheme(key);
  const pkcs8 = key.export({ format: 'der', type: 'pkcs8' });
  return webcrypto.subtle.importKey('pkcs8', pkcs8, scheme, false, ['sign']);
}
