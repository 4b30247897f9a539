import { createPublicKey, verify } from 'node:crypto';

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
const UNSUPPORTED = 'x509: cannot verify signature: algorithm unimplemented';

/** The signed part of a PKCS #10 request, its public key, and the signature; undefined = it is none. */
function partsOf(der: Buffer) {
  const [outer, ...rest] = elementsOf(der) ?? [];
  if (!outer || rest.length > 0) return undefined;
  const [info, algorithm, signature] = elementsOf(outer.content) ?? [];
  if (!info || !algorithm || !signature) return undefined;
  const [, , spki] = elementsOf(info.content) ?? [];
  const [oid] = elementsOf(algorithm.content) ?? [];
  if (!spki || !oid) return undefined;
  return { info, spki, signature, algorithm: oid.content.toString('hex') };
}

/**
 * What is wrong with a PKCS #10 request in PEM: its form, or the signature by its own key
 * (k8s pkg/apis/certificates/validation/validation.go:validateCSR).
 */
export function requestFault(pem: string): string | undefined {
  const block = /-----BEGIN ([^-]+)-----\s([\s\S]*?)-----END \1-----/.exec(pem);
  if (block?.[1] !== 'CERTIFICATE REQUEST') return 'PEM block type must be CERTIFICATE REQUEST';
  const parts = partsOf(Buffer.from(block[2] ?? '', 'base64'));
  if (!parts) return MALFORMED;
  const algorithm = ALGORITHMS.get(parts.algorithm);
  if (!algorithm) return UNSUPPORTED;
  try {
    const key = createPublicKey({ key: parts.spki.all, format: 'der', type: 'spki' });
    // The first byte of a bit string counts its unused bits.
    const signature = parts.signature.content.subarray(1);
    const holds = verify(algorithm.hash, parts.info.all, key, signature);
    return holds ? undefined : algorithm.failure;
  } catch {
    return MALFORMED;
  }
}
