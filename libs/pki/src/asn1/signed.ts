import { sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { PkiError } from '../pki-error.js';
import { bitString, nothing, oid, sequence } from './der.js';

/** OpenSSL's names of the curves that every reader of certificates knows. */
const CURVES = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

/** The algorithm in DER, and the hash that node:crypto signs with. Throws PkiError. */
export function signatureAlgorithm(key: KeyObject): {
  readonly algorithm: Buffer;
  readonly hash: string | undefined;
} {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ec' && CURVES.has(details?.namedCurve ?? ''))
    return { algorithm: sequence(oid('1.2.840.10045.4.3.2')), hash: 'sha256' };
  if (type === 'rsa')
    return { algorithm: sequence(oid('1.2.840.113549.1.1.11'), nothing()), hash: 'sha256' };
  if (type === 'ed25519') return { algorithm: sequence(oid('1.3.101.112')), hash: undefined };
  throw new PkiError('unsupported', `a ${type ?? 'secret'} key of this kind cannot sign`);
}

/** What was signed, how, and the signature, in PEM. */
export function toSignedPem(label: string, content: Buffer, key: KeyObject): string {
  const { algorithm, hash } = signatureAlgorithm(key);
  const der = sequence(content, algorithm, bitString(sign(hash, content, key)));
  const lines = der.toString('base64').replaceAll(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
