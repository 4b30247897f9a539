import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createCa, issueCertificate, parseCa } from './certificate.js';
import type { CertificateAndKey, CertificateAuthority, IssueOptions } from './certificate.js';
import { USAGE_OIDS } from './extensions.js';
import { parsePrivateKey } from './keys.js';
import { subjectOf } from './name.js';
import type { Subject } from './name.js';

/** Certificates closer to their end than this are made anew. */
const RENEW_BEFORE_MS = 30 * 86_400_000;

/** Writes so that a reader sees the old file or the whole new one, mode 0600. */
export function writePrivate(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.new`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, path);
}

/** Whether the subject is the wanted one; the groups are a set. */
function names(certificate: X509Certificate, { commonName, organizations = [] }: Subject): boolean {
  const subject = subjectOf(certificate);
  const groups = (list: readonly string[]): string => JSON.stringify(list.toSorted());
  return (
    subject.commonName === commonName && groups(subject.organizations) === groups(organizations)
  );
}

/** Whether it may be used for everything asked and answers for every name asked; it may do more. */
function covers(certificate: X509Certificate, { sans, usages }: IssueOptions): boolean {
  const { dns = [], ips = [] } = sans ?? {};
  return (
    usages.every((usage) => certificate.keyUsage.includes(USAGE_OIDS[usage])) &&
    dns.every((name) => certificate.checkHost(name, { subject: 'never' }) !== undefined) &&
    ips.every((ip) => certificate.checkIP(ip) !== undefined)
  );
}

/** Whether a certificate still is what `options` ask of this CA. */
function satisfies(
  { certPem, keyPem }: CertificateAndKey,
  ca: CertificateAuthority,
  options: IssueOptions,
): boolean {
  try {
    const certificate = new X509Certificate(certPem);
    return (
      certificate.verify(ca.keys.publicKey) &&
      certificate.checkPrivateKey(parsePrivateKey(keyPem).privateKey) &&
      Date.parse(certificate.validTo) - RENEW_BEFORE_MS > options.now &&
      names(certificate, options) &&
      covers(certificate, options)
    );
  } catch {
    return false;
  }
}

/** The CA at `<base>.crt` and `<base>.key`: what is there when it is valid, else a new one. Throws when a CA is there but broken. */
export async function ensureCa(
  base: string,
  commonName: string,
  now: number,
): Promise<CertificateAuthority> {
  const [crt, key] = [`${base}.crt`, `${base}.key`];
  if (existsSync(crt) && existsSync(key)) {
    const pems = { certPem: readFileSync(crt, 'utf8'), keyPem: readFileSync(key, 'utf8') };
    try {
      return parseCa(pems);
    } catch (error) {
      throw new Error(`the certificate authority ${crt} cannot be used`, { cause: error });
    }
  }
  const ca = await createCa(commonName, now);
  writePrivate(key, ca.keyPem);
  writePrivate(crt, ca.certPem);
  return ca;
}

/** The certificate at `<base>.crt` and `<base>.key`, made or renewed when needed. */
export async function ensureCertificate(
  base: string,
  ca: CertificateAuthority,
  options: IssueOptions,
): Promise<void> {
  const [crt, key] = [`${base}.crt`, `${base}.key`];
  if (
    existsSync(crt) &&
    existsSync(key) &&
    satisfies(
      { certPem: readFileSync(crt, 'utf8'), keyPem: readFileSync(key, 'utf8') },
      ca,
      options,
    )
  )
    return;
  const issued = await issueCertificate(ca, options);
  writePrivate(key, issued.keyPem);
  writePrivate(crt, issued.certPem);
}

/** What a field of a kubeconfig holds in base64; empty without it. */
const decoded = (kubeconfig: string, name: string): string =>
  Buffer.from(new RegExp(`${name}: (\\S+)`).exec(kubeconfig)?.[1] ?? '', 'base64').toString();

/** When the certificate in this file, or in the kubeconfig that it is, wants renewal: milliseconds since the epoch. */
export function renewalOf(path: string): number {
  const text = readFileSync(path, 'utf8');
  const { validTo } = new X509Certificate(decoded(text, 'client-certificate-data') || text);
  return Date.parse(validTo) - RENEW_BEFORE_MS;
}

/** Whether a kubeconfig is for that server and CA, and the certificate in it still what `options` ask. */
export function kubeconfigIsCurrent(
  path: string,
  ca: CertificateAuthority,
  server: string,
  options: IssueOptions,
): boolean {
  if (!existsSync(path)) return false;
  const text = readFileSync(path, 'utf8');
  const field = (name: string): string => decoded(text, name);
  return (
    text.includes(JSON.stringify(server)) &&
    field('certificate-authority-data') === ca.certPem &&
    satisfies(
      { certPem: field('client-certificate-data'), keyPem: field('client-key-data') },
      ca,
      options,
    )
  );
}
