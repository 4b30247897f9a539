import type { KeyObject } from 'node:crypto';
import { constants, createPublicKey, verify } from 'node:crypto';
import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { invalid, invalidOmitted, tooLong } from '@orrery/apimachinery';
import type { PodCertificateRequestSpec } from '../../../gen/types/certificates.v1beta1.js';
import { SPEC } from './paths.js';
import { readRequest } from '../../v1/certificatesigningrequest/request-signature.js';

/** Bytes of a key, of a proof and of a stub request (k8s pkg/apis/certificates/types.go:MaxPKIXPublicKeySize). */
const MAX_BYTES = 10 * 1024;
const PKIX = SPEC.child('pkixPublicKey');
const PROOF = SPEC.child('proofOfPossession');
const STUB = SPEC.child('stubPKCS10Request');

const CURVES = ['prime256v1', 'secp384r1', 'secp521r1'];
const MODULI = [3072, 4096];

const bytesOf = (base64: string | undefined): Buffer => Buffer.from(base64 ?? '', 'base64');

/** The key of a PKIX document; undefined = it is none. */
export function keyOf(base64: string | undefined): KeyObject | undefined {
  try {
    return createPublicKey({ key: bytesOf(base64), format: 'der', type: 'spki' });
  } catch {
    return undefined;
  }
}

/** What is wrong with the kind or the size of a key at `path`. */
function validateKey(key: KeyObject, shown: string | undefined, path: FieldPath): FieldError[] {
  const { namedCurve = '', modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'ed25519':
      return [];
    case 'ec': {
      if (CURVES.includes(namedCurve)) return [];
      const text = 'elliptic public keys must use curve P256 or P384';
      return [invalid(path, `curve ${namedCurve.replace('secp224r1', 'P-224')}`, text)];
    }
    case 'rsa': {
      const bits = Math.ceil(modulusLength / 8) * 8;
      if (MODULI.includes(bits)) return [];
      return [invalid(path, `${bits}-bit modulus`, 'RSA keys must have modulus size 3072 or 4096')];
    }
    default:
      return [
        invalid(
          path,
          shown ?? '',
          'unknown public key type; supported types are Ed25519, ECDSA, and RSA',
        ),
      ];
  }
}

/** Whether the bearer of the key has signed the uid of the pod. */
function isProven(key: KeyObject, uid: string, proof: Buffer): boolean {
  const { asymmetricKeyType: type } = key;
  const hash = type === 'ed25519' ? null : 'sha256';
  const signer =
    type === 'rsa'
      ? {
          key,
          padding: constants.RSA_PKCS1_PSS_PADDING,
          saltLength: constants.RSA_PSS_SALTLEN_AUTO,
        }
      : key;
  try {
    return verify(hash, Buffer.from(uid), signer, proof);
  } catch {
    return false;
  }
}

function validateProof({
  podUID,
  pkixPublicKey,
  proofOfPossession,
}: PodCertificateRequestSpec): FieldError[] {
  const proof = bytesOf(proofOfPossession);
  if (bytesOf(pkixPublicKey).length > MAX_BYTES) return [tooLong(PKIX, MAX_BYTES)];
  if (proof.length > MAX_BYTES) return [tooLong(PROOF, MAX_BYTES)];
  const key = keyOf(pkixPublicKey);
  if (!key)
    return [invalid(PKIX, pkixPublicKey ?? '', 'must be a valid PKIX-serialized public key')];
  const faults = validateKey(key, pkixPublicKey, PKIX);
  if (faults.length > 0) return faults;
  return isProven(key, podUID, proof)
    ? []
    : [invalidOmitted(PROOF, 'could not verify proof-of-possession signature')];
}

function validateStub({ stubPKCS10Request: stub }: PodCertificateRequestSpec): FieldError[] {
  const der = bytesOf(stub);
  if (der.length > MAX_BYTES) return [tooLong(STUB, MAX_BYTES)];
  const request = readRequest(der);
  if (!request) return [invalid(STUB, stub, 'must be a valid PKCS#10 CSR')];
  const faults = validateKey(request.key, stub, STUB);
  if (faults.length > 0) return faults;
  return request.fault
    ? [invalidOmitted(STUB, `could not verify CSR signature: ${request.fault}`)]
    : [];
}

/**
 * The key of a request, and the proof that it is the kubelet's: signed itself, as a stub of a PKCS #10 request, or
 * the older pair of key and signature over the pod's uid, and one way alone
 * (k8s pkg/apis/certificates/validation/validation.go:ValidatePodCertificateRequestCreate).
 */
export function validateSubject(spec: PodCertificateRequestSpec): FieldError[] {
  const hasPair = Boolean(spec.pkixPublicKey) || Boolean(spec.proofOfPossession);
  if (!spec.stubPKCS10Request) return validateProof(spec);
  if (!hasPair) return validateStub(spec);
  const text =
    'exactly one of (stubPKCS10Request) or (pkixPublicKey, proofOfPossession) must be set';
  return [invalidOmitted(SPEC, text)];
}

/** The key that the certificate is to be for; undefined = none can be read. */
export const subjectOf = (spec: PodCertificateRequestSpec): KeyObject | undefined =>
  spec.stubPKCS10Request
    ? readRequest(bytesOf(spec.stubPKCS10Request))?.key
    : keyOf(spec.pkixPublicKey);
