import type { CertificateSigningRequest } from '@orrery/api';
import type { ExtendedUsage, KeyUsage } from '@orrery/pki';

/** k8s pkg/controller/certificates/authority/policies.go:keyUsageDict. */
const KEY_USAGES: Readonly<Record<string, KeyUsage>> = {
  signing: 'digitalSignature',
  'digital signature': 'digitalSignature',
  'content commitment': 'nonRepudiation',
  'key encipherment': 'keyEncipherment',
  'key agreement': 'keyAgreement',
  'data encipherment': 'dataEncipherment',
  'cert sign': 'keyCertSign',
  'crl sign': 'cRLSign',
  'encipher only': 'encipherOnly',
  'decipher only': 'decipherOnly',
};

/** extKeyUsageDict of the same file. */
const EXTENDED_USAGES: Readonly<Record<string, ExtendedUsage>> = {
  any: 'any',
  'server auth': 'serverAuth',
  'client auth': 'clientAuth',
  'code signing': 'codeSigning',
  'email protection': 'emailProtection',
  's/mime': 'emailProtection',
  'ipsec end system': 'ipsecEndSystem',
  'ipsec tunnel': 'ipsecTunnel',
  'ipsec user': 'ipsecUser',
  timestamping: 'timeStamping',
  'ocsp signing': 'ocspSigning',
  'microsoft sgc': 'microsoftSgc',
  'netscape sgc': 'netscapeSgc',
};

const known = <T>(table: Readonly<Record<string, T>>, names: readonly string[]): T[] => [
  ...new Set(names.filter((name) => Object.hasOwn(table, name)).map((name) => table[name] as T)),
];

/** Pure: what the certificate is for: exactly what is asked for. */
export function usagesOf({ spec }: CertificateSigningRequest): {
  readonly usages: readonly ExtendedUsage[];
  readonly keyUsages: readonly KeyUsage[];
} {
  const names = spec.usages ?? [];
  return { usages: known(EXTENDED_USAGES, names), keyUsages: known(KEY_USAGES, names) };
}
