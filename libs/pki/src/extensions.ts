import { isIPv4, isIPv6 } from 'node:net';
import type { Extension, JsonGeneralName, PublicKey } from '@peculiar/x509';
import { PkiError } from './pki-error.js';
import type { X509Library } from './x509-library.js';

/** RFC 5280 4.2.1.12, and two of Microsoft's and Netscape's. */
export const USAGE_OIDS = {
  any: '2.5.29.37.0',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  emailProtection: '1.3.6.1.5.5.7.3.4',
  ipsecEndSystem: '1.3.6.1.5.5.7.3.5',
  ipsecTunnel: '1.3.6.1.5.5.7.3.6',
  ipsecUser: '1.3.6.1.5.5.7.3.7',
  timeStamping: '1.3.6.1.5.5.7.3.8',
  ocspSigning: '1.3.6.1.5.5.7.3.9',
  microsoftSgc: '1.3.6.1.4.1.311.10.3.3',
  netscapeSgc: '2.16.840.1.113730.4.1',
} as const;

export type ExtendedUsage = keyof typeof USAGE_OIDS;

/** What a key may be used for (RFC 5280 4.2.1.3). */
export type KeyUsage = Exclude<keyof X509Library['KeyUsageFlags'], number | symbol>;

/** Of servers and clients, as kubeadm's. */
const LEAF_KEY_USAGES: readonly KeyUsage[] = ['digitalSignature', 'keyEncipherment'];

export interface AlternativeNames {
  readonly dns?: readonly string[];
  readonly ips?: readonly string[];
  readonly emails?: readonly string[];
  readonly uris?: readonly string[];
}

/** The address in the one spelling that the library reads right: it would lose the end of ::ffff:1.2.3.4. */
function canonicalIp(ip: string): string {
  if (isIPv4(ip)) return ip;
  const url = `http://[${ip}]`;
  if (!isIPv6(ip) || !URL.canParse(url))
    throw new PkiError('malformed', `not an IP address: ${ip}`);
  return new URL(url).hostname.slice(1, -1);
}

/** The subjectAltName; none when there is no name. Throws PkiError for an IP that is none. */
export function alternativeNames(
  x509: X509Library,
  { dns = [], ips = [], emails = [], uris = [] }: AlternativeNames,
): readonly Extension[] {
  const names: JsonGeneralName[] = [
    ...dns.map((value) => ({ type: 'dns' as const, value })),
    ...emails.map((value) => ({ type: 'email' as const, value })),
    ...ips.map((ip) => ({ type: 'ip' as const, value: canonicalIp(ip) })),
    ...uris.map((value) => ({ type: 'url' as const, value })),
  ];
  return names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)];
}

/** What makes a CA, with the key usages of kubeadm's CAs. */
export function authorityExtensions(x509: X509Library): readonly Extension[] {
  const { digitalSignature, keyEncipherment, keyCertSign } = x509.KeyUsageFlags;
  return [
    new x509.KeyUsagesExtension(digitalSignature | keyEncipherment | keyCertSign, true),
    new x509.BasicConstraintsExtension(true, undefined, true),
  ];
}

/** What a certificate of a server or client has. */
export function leafExtensions(
  x509: X509Library,
  usages: readonly ExtendedUsage[],
  keyUsages: readonly KeyUsage[] = LEAF_KEY_USAGES,
): readonly Extension[] {
  const bits = keyUsages.reduce((all, usage) => all | x509.KeyUsageFlags[usage], 0);
  return [
    // RFC 5280 has no empty lists of usages.
    ...(bits === 0 ? [] : [new x509.KeyUsagesExtension(bits, true)]),
    ...(usages.length > 0
      ? [new x509.ExtendedKeyUsageExtension(usages.map((usage) => USAGE_OIDS[usage]))]
      : []),
    new x509.BasicConstraintsExtension(false, undefined, true),
  ];
}

/** The identifiers by which chains are built: of the key itself, and of the issuer's when that is another. */
export async function keyIdentifiers(
  x509: X509Library,
  key: PublicKey,
  issuerKeyId?: string,
): Promise<readonly Extension[]> {
  const own = await x509.SubjectKeyIdentifierExtension.create(key);
  return [own, new x509.AuthorityKeyIdentifierExtension(issuerKeyId ?? own.keyId)];
}
