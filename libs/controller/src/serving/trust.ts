import { X509Certificate } from 'node:crypto';
import type { HeaderRules } from './serving-flags.js';

/** Whose certificates say who asks, and whose say that headers do. */
export interface Trust {
  readonly clientCa: string;
  readonly headerCa: string;
  readonly headers: HeaderRules;
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

export const certificatesOf = (pem: string): readonly X509Certificate[] =>
  (pem.match(PEM) ?? []).map((block) => new X509Certificate(block));

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

/** Whether one of these authorities says that this is a client, at this time; chains have no links between. */
export function isSignedBy(
  certificate: X509Certificate,
  authorities: readonly X509Certificate[],
  now: number,
): boolean {
  const isValid =
    Date.parse(certificate.validFrom) <= now && now <= Date.parse(certificate.validTo);
  if (!isValid || !certificate.keyUsage?.includes(CLIENT_AUTH)) return false;
  return authorities.some(
    (ca) => ca.ca && certificate.checkIssued(ca) && certificate.verify(ca.publicKey),
  );
}

const listIn = (data: Readonly<Record<string, string>>, key: string): readonly string[] => {
  const list: unknown = JSON.parse(data[key] ?? '[]');
  return Array.isArray(list) ? list.map(String) : [];
};

/** What flags do not say is as the API server's ConfigMap extension-apiserver-authentication says. */
export function withPublished(flags: Trust, data: Readonly<Record<string, string>>): Trust {
  const of = (name: string): readonly string[] => listIn(data, `requestheader-${name}`);
  return {
    clientCa: flags.clientCa === '' ? (data['client-ca-file'] ?? '') : flags.clientCa,
    ...(flags.headerCa === ''
      ? {
          headerCa: data['requestheader-client-ca-file'] ?? '',
          headers: {
            allowedNames: of('allowed-names'),
            usernames: of('username-headers'),
            uids: of('uid-headers'),
            groups: of('group-headers'),
            extraPrefixes: of('extra-headers-prefix'),
          },
        }
      : { headerCa: flags.headerCa, headers: flags.headers }),
  };
}
