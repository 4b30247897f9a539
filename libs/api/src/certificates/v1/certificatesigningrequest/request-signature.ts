import type { KeyObject } from 'node:crypto';
import { constants, createPublicKey, verify } from 'node:crypto';
import { pemBlocks } from '../../../meta/pem.js';

interface Element {
  readonly tag: number;
  /** With its head. */
  readonly all: Buffer;
  readonly content: Buffer;
}

/** The DER elements that follow each other in `bytes`; undefined = they are none. */
function elementsOf(bytes: Buffer): Element[] | undefined {
  const found: Element[] = [];
  let at = 0;
  while (at < bytes.length) {
    const short = bytes[at + 1] ?? 0;
    const lengthBytes = short > 0x80 ? short - 0x80 : 0;
    if (short === 0x80 || lengthBytes > 4) return undefined;
    const begin = at + 2 + lengthBytes;
    if (begin > bytes.length) return undefined;
    const length = lengthBytes === 0 ? short : bytes.readUIntBE(at + 2, lengthBytes);
    const end = begin + length;
    if (end > bytes.length) return undefined;
    found.push({
      tag: bytes[at] ?? 0,
      all: bytes.subarray(at, end),
      content: bytes.subarray(begin, end),
    });
    at = end;
  }
  return found;
}

const MALFORMED = 'x509: malformed certificate request';

interface Algorithm {
  /** Null: the key's own. */
  readonly hash: string | null;
  readonly failure: string;
  readonly isPss?: true;
}

const rsa = (hash: string): Algorithm => ({ hash, failure: 'crypto/rsa: verification error' });
const ecdsa = (hash: string): Algorithm => ({ hash, failure: 'x509: ECDSA verification failure' });

/** By the hex form of their object identifiers. */
const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map([
  ['2a864886f70d01010b', rsa('sha256')],
  ['2a864886f70d01010c', rsa('sha384')],
  ['2a864886f70d01010d', rsa('sha512')],
  ['2a8648ce3d040302', ecdsa('sha256')],
  ['2a8648ce3d040303', ecdsa('sha384')],
  ['2a8648ce3d040304', ecdsa('sha512')],
  ['2b6570', { hash: null, failure: 'x509: Ed25519 verification failure' }],
]);
const PSS = '2a864886f70d01010a';
const PSS_HASHES: ReadonlyMap<string, string> = new Map([
  ['608648016503040201', 'sha256'],
  ['608648016503040202', 'sha384'],
  ['608648016503040203', 'sha512'],
]);
const UNSUPPORTED = 'x509: cannot verify signature: algorithm unimplemented';

interface Parts {
  readonly info: Element;
  readonly spki: Element;
  readonly signature: Element;
  /** The object identifier of the algorithm in hex, and what it is called with. */
  readonly algorithm: string;
  readonly parameters: Element | undefined;
}

/** The signed part of a PKCS #10 request, its public key, and the signature; undefined = it is none. */
function partsOf(der: Buffer): Parts | undefined {
  const [outer, ...rest] = elementsOf(der) ?? [];
  if (!outer || rest.length > 0) return undefined;
  const [info, algorithm, signature] = elementsOf(outer.content) ?? [];
  if (!info || !algorithm || !signature) return undefined;
  const [, , spki] = elementsOf(info.content) ?? [];
  const [oid, parameters] = elementsOf(algorithm.content) ?? [];
  if (!spki || !oid) return undefined;
  return { info, spki, signature, algorithm: oid.content.toString('hex'), parameters };
}

/** RSA-PSS names its hash in its parameters; Go knows it with the SHA-2 family alone (crypto/x509:getSignatureAlgorithmFromAI). */
function pssOf({ algorithm, parameters }: Parts): Algorithm | undefined {
  if (algorithm !== PSS || !parameters) return undefined;
  const [tagged] = elementsOf(parameters.content) ?? [];
  const [identifier] = (tagged && elementsOf(tagged.content)) ?? [];
  const [oid] = (identifier && elementsOf(identifier.content)) ?? [];
  const hash = oid && PSS_HASHES.get(oid.content.toString('hex'));
  return hash ? { ...rsa(hash), isPss: true } : undefined;
}

/** A PKCS #10 request that was read. */
export interface SignedRequest {
  readonly key: KeyObject;
  /** Why it is not signed by that key; undefined = it is. */
  readonly fault?: string;
}

/** Reads a PKCS #10 request in DER and checks that its own key has signed it; undefined = it is none. */
export function readRequest(der: Buffer): SignedRequest | undefined {
  const parts = partsOf(der);
  if (!parts) return undefined;
  try {
    const key = createPublicKey({ key: parts.spki.all, format: 'der', type: 'spki' });
    const algorithm = ALGORITHMS.get(parts.algorithm) ?? pssOf(parts);
    if (!algorithm) return { key, fault: UNSUPPORTED };
    // The first byte of a bit string counts its unused bits.
    const signature = parts.signature.content.subarray(1);
    const signer = algorithm.isPss
      ? {
          key,
          padding: constants.RSA_PKCS1_PSS_PADDING,
          saltLength: constants.RSA_PSS_SALTLEN_AUTO,
        }
      : key;
    const holds = verify(algorithm.hash, parts.info.all, signer, signature);
    return holds ? { key } : { key, fault: algorithm.failure };
  } catch {
    return undefined;
  }
}

/**
 * What is wrong with a PKCS #10 request in PEM: its form, or the signature by its own key
 * (k8s pkg/apis/certificates/validation/validation.go:validateCSR).
 */
export function requestFault(pem: string): string | undefined {
  const [block] = pemBlocks(pem);
  if (block?.type !== 'CERTIFICATE REQUEST') return 'PEM block type must be CERTIFICATE REQUEST';
  const request = readRequest(block.der);
  return request ? request.fault : MALFORMED;
}
