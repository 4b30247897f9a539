import { createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import {
  DerError,
  Tag,
  bitString,
  childOf,
  element,
  integer,
  oid,
  readAll,
  readOid,
  sequence,
  set,
} from './der.js';
import type { DerNode } from './der.js';
import { generateKeyPair, privateKeyToPem } from './keys.js';
import { decodeName, encodeName } from './name.js';
import type { Subject } from './name.js';
import { fromPem, toPem } from './pem.js';

const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
const SUBJECT_ALT_NAME = '2.5.29.17';

/** What a PKCS 10 certificate request asks for. */
export interface SigningRequest {
  readonly subject: Required<Subject>;
  readonly dns: readonly string[];
  readonly ips: readonly string[];
  readonly emails: readonly string[];
  readonly uris: readonly string[];
  readonly publicKey: KeyObject;
}

/** RFC 8017 and RFC 5758 signature algorithms and their digest. */
const DIGESTS: Readonly<Record<string, string | null>> = {
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.3.101.112': null,
};

function formatIp(bytes: Buffer): string {
  if (bytes.length === 4) return [...bytes].join('.');
  const groups: string[] = [];
  for (let i = 0; i + 1 < bytes.length; i += 2) groups.push(bytes.readUInt16BE(i).toString(16));
  return groups.join(':');
}

function alternativeNames(attributes: DerNode | undefined): readonly DerNode[] {
  if (!attributes) return [];
  for (const attribute of readAll(attributes.content)) {
    if (readOid(childOf(attribute.content, 0, Tag.oid).content) !== EXTENSION_REQUEST) continue;
    const extensions = childOf(childOf(attribute.content, 1, Tag.set).content, 0, Tag.sequence);
    for (const one of readAll(extensions.content)) {
      const parts = readAll(one.content);
      const [id, value] = [parts[0], parts.at(-1)];
      if (id && value && readOid(id.content) === SUBJECT_ALT_NAME)
        return readAll(childOf(value.content, 0, Tag.sequence).content);
    }
  }
  return [];
}

/** Reads a CSR in PEM and checks that its owner signed it. Throws DerError. */
export function parseSigningRequest(pem: string): SigningRequest {
  const [der] = fromPem('CERTIFICATE REQUEST', pem);
  if (!der) throw new DerError('PEM block type must be CERTIFICATE REQUEST');
  const root = childOf(der, 0, Tag.sequence).content;
  const info = childOf(root, 0, Tag.sequence);
  const algorithm = readOid(childOf(childOf(root, 1).content, 0, Tag.oid).content);
  const signature = childOf(root, 2, Tag.bitString).content.subarray(1);
  const publicKey = createPublicKey({
    key: childOf(info.content, 2).raw,
    format: 'der',
    type: 'spki',
  });
  const digest = DIGESTS[algorithm];
  if (digest === undefined) throw new DerError(`unsupported signature algorithm ${algorithm}`);
  if (!verify(digest, info.raw, publicKey, signature))
    throw new DerError('the signature of the certificate request is wrong');
  const names = alternativeNames(readAll(info.content)[3]);
  const texts = (tag: number): string[] =>
    names.filter((n) => n.tag === tag).map((n) => n.content.toString('latin1'));
  return {
    subject: decodeName(childOf(info.content, 1)),
    dns: texts(0x82),
    emails: texts(0x81),
    uris: texts(0x86),
    ips: names.filter((n) => n.tag === 0x87).map((n) => formatIp(n.content)),
    publicKey,
  };
}

/** A new key and a CSR for it, as a kubelet sends when it joins. */
export function createSigningRequest(
  subject: Subject,
  dns: readonly string[] = [],
): { readonly csrPem: string; readonly keyPem: string } {
  const { privateKey, publicKey } = generateKeyPair();
  const san = sequence(
    oid(SUBJECT_ALT_NAME),
    element(Tag.octetString, sequence(...dns.map((d) => element(0x82, Buffer.from(d, 'latin1'))))),
  );
  const attributes = dns.length > 0 ? [sequence(oid(EXTENSION_REQUEST), set(sequence(san)))] : [];
  const info = sequence(
    integer(Buffer.from([0])),
    encodeName(subject),
    publicKey.export({ format: 'der', type: 'spki' }),
    element(0xa0, ...attributes),
  );
  const csr = sequence(
    info,
    sequence(oid('1.2.840.10045.4.3.2')),
    bitString(sign('sha256', info, privateKey)),
  );
  return { csrPem: toPem('CERTIFICATE REQUEST', csr), keyPem: privateKeyToPem(privateKey) };
}
