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

/** Hashes by the hex form of the signature algorithms' object identifiers; null = the key's own. */
const HASHES: ReadonlyMap<string, string | null> = new Map([
  ['2a864886f70d01010b', 'sha256'],
  ['2a864886f70d01010c', 'sha384'],
  ['2a864886f70d01010d', 'sha512'],
  ['2a8648ce3d040302', 'sha256'],
  ['2a8648ce3d040303', 'sha384'],
  ['2a8648ce3d040304', 'sha512'],
  ['2b6570', null],
]);
const ECDSA = '2a8648ce3d0403';
const UNSUPPORTED = 'x509: cannot verify signature: algorithm unimplemented';

/**
 * What is wrong with a PKCS #10 request in PEM: its form, or the signature by its own key
 * (k8s pkg/apis/certificates/validation/validation.go:validateCSR).
 */
export function requestFault(pem: string): string | undefined {
  const block = /-----BEGIN ([^-]+)-----\s([\s\S]*?)-----END \1-----/.exec(pem);
  if (block?.[1] !== 'CERTIFICATE REQUEST') return 'PEM block type must be CERTIFICATE REQUEST';
  const [outer, ...rest] = elementsOf(Buffer.from(block[2] ?? '', 'base64')) ?? [];
  const [info, algorithm, signature] = elementsOf(outer?.content ?? Buffer.alloc(0)) ?? [];
  const spki = elementsOf(info?.content ?? Buffer.alloc(0))?.[2];
  const oid = elementsOf(algorithm?.content ?? Buffer.alloc(0))?.[0];
  if (rest.length > 0 || !info || !signature || !spki || !oid) return MALFORMED;
  const name = oid.content.toString('hex');
  const hash = HASHES.get(name);
  if (hash === undefined) return UNSUPPORTED;
  const failure = name.startsWith(ECDSA)
    ? 'x509: ECDSA verification failure'
    : name === '2b6570'
      ? 'x509: Ed25519 verification failure'
      : 'crypto/rsa: verification error';
  try {
    const key = createPublicKey({ key: spki.all, format: 'der', type: 'spki' });
    // The first byte of a bit string counts its unused bits.
    return verify(hash, info.all, key, signature.content.subarray(1)) ? undefined : failure;
  } catch {
    return MALFORMED;
  }
}
