import { createHash } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import { bitString, elements, octetString, oid, sequence, truth, untagged } from './asn1/der.js';
import { PkiError } from './pki-error.js';

export type ExtendedUsage = 'serverAuth' | 'clientAuth';

/** RFC 5280 4.2.1.12. */
export const USAGE_OIDS: Readonly<Record<ExtendedUsage, string>> = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
};

export interface AlternativeNames {
  readonly dns?: readonly string[];
  readonly ips?: readonly string[];
}

/** RFC 5280 4.2.1. */
const OIDS = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const;

function extension(name: keyof typeof OIDS, value: Buffer, isCritical = false): Buffer {
  return sequence(oid(OIDS[name]), ...(isCritical ? [truth()] : []), octetString(value));
}

const IPV6_GROUPS = 8;

function ipBytes(ip: string): Buffer {
  if (isIPv4(ip)) return Buffer.from(ip.split('.').map(Number));
  const url = `http://[${ip}]`;
  if (!isIPv6(ip) || !URL.canParse(url))
    throw new PkiError('malformed', `not an IP address: ${ip}`);
  // In the one spelling without dots.
  const [head = '', tail] = new URL(url).hostname.slice(1, -1).split('::');
  const groups = (part: string | undefined): string[] => (part ? part.split(':') : []);
  const [front, back] = [groups(head), groups(tail)];
  const zeros = Array.from({ length: IPV6_GROUPS - front.length - back.length }, () => '0');
  return Buffer.from(
    [...front, ...zeros, ...back].map((group) => group.padStart(4, '0')).join(''),
    'hex',
  );
}

const [DNS_NAME, IP_ADDRESS] = [2, 7];

/** The subjectAltName; none when there is no name. Throws PkiError for an IP that is none. */
export function alternativeNames({ dns = [], ips = [] }: AlternativeNames): readonly Buffer[] {
  const names = [
    ...dns.map((name) => untagged(DNS_NAME, Buffer.from(name))),
    ...ips.map((ip) => untagged(IP_ADDRESS, ipBytes(ip))),
  ];
  return names.length === 0 ? [] : [extension('subjectAltName', sequence(...names))];
}

/** digitalSignature and keyEncipherment: the bits 0 and 2. */
const LEAF_USAGE = bitString(Buffer.of(0b1010_0000), 5);
/** And keyCertSign, the bit 5: the usages of kubeadm's CAs. */
const AUTHORITY_USAGE = bitString(Buffer.of(0b1010_0100), 2);

/** What makes a CA. */
export const authorityExtensions = (): readonly Buffer[] => [
  extension('keyUsage', AUTHORITY_USAGE, true),
  extension('basicConstraints', sequence(truth()), true),
];

/** What a certificate of a server or client has. */
export const leafExtensions = (usages: readonly ExtendedUsage[]): readonly Buffer[] => [
  extension('keyUsage', LEAF_USAGE, true),
  // RFC 5280 has no empty list of usages.
  ...(usages.length > 0
    ? [extension('extendedKeyUsage', sequence(...usages.map((usage) => oid(USAGE_OIDS[usage]))))]
    : []),
  extension('basicConstraints', sequence(), true),
];

/** The identifier that a key has of itself: the hash of its bits (RFC 5280 4.2.1.2 (1)). */
export function keyIdentifier(spki: Buffer): Buffer {
  const [info] = elements(spki);
  const bits = elements(info?.content ?? spki)[1]?.content ?? Buffer.alloc(0);
  return createHash('sha1').update(bits.subarray(1)).digest();
}

/** The identifiers by which chains are built: of the key itself, and of the issuer's when that is another. */
export function keyIdentifiers(spki: Buffer, issuerKeyId?: Buffer): readonly Buffer[] {
  const own = keyIdentifier(spki);
  return [
    extension('subjectKeyIdentifier', octetString(own)),
    extension('authorityKeyIdentifier', sequence(untagged(0, issuerKeyId ?? own))),
  ];
}

/** The subjectKeyIdentifier among the extensions of a certificate. */
export function shownKeyIdentifier(extensions: Buffer): Buffer | undefined {
  const id = oid(OIDS.subjectKeyIdentifier);
  for (const { content } of elements(extensions)) {
    const parts = elements(content);
    const value = parts.at(-1);
    if (parts[0]?.whole.equals(id) && value) return elements(value.content)[0]?.content;
  }
  return undefined;
}
