import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createCa, issueCertificate, parseCa } from './certificate.js';
import type { CertificateAuthority, IssueOptions } from './certificate.js';
import { parsePrivateKey } from './keys.js';

/** Certificates closer to their end than this are made anew. */
const RENEW_BEFORE_MS = 30 * 86_400_000;

/** Writes so that a reader sees the old file or the whole new one, mode 0600. */
export function writePrivate(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.new`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, path);
}

const normalize = (ip: string): string => ip.toLowerCase();

/** Whether a certificate still is what `options` ask of this CA. */
function satisfies(
  certPem: string,
  keyPem: string,
  ca: CertificateAuthority,
  options: IssueOptions,
): boolean {
  try {
    const certificate = new X509Certificate(certPem);
    const names = certificate.subjectAltName ?? '';
    const { dns = [], ips = [] } = options.sans ?? {};
    return (
      certificate.verify(ca.keys.publicKey) &&
      certificate.checkPrivateKey(parsePrivateKey(keyPem).privateKey) &&
      Date.parse(certificate.validTo) - RENEW_BEFORE_MS > options.now &&
      dns.every((name) => names.split(', ').includes(`DNS:${name}`)) &&
      ips.every((ip) => names.split(', ').includes(`IP Address:${normalize(ip)}`))
    );
  } catch {
    return false;
  }
}

/** The CA at `<base>.crt` and `<base>.key`: what is there when it is valid, else a new one. Throws when a CA is there but broken. */
export function ensureCa(base: string, commonName: string, now: number): CertificateAuthority {
  const [crt, key] = [`${base}.crt`, `${base}.key`];
  if (existsSync(crt) && existsSync(key)) {
    const pems = { certPem: readFileSync(crt, 'utf8'), keyPem: readFileSync(key, 'utf8') };
    try {
      return parseCa(pems);
    } catch (error) {
      throw new Error(`the certificate authority ${crt} cannot be used`, { cause: error });
    }
  }
  const ca = createCa(commonName, now);
  writePrivate(key, ca.keyPem);
  writePrivate(crt, ca.certPem);
  return ca;
}

/** The certificate at `<base>.crt` and `<base>.key`, made or renewed when needed. */
export function ensureCertificate(
  base: string,
  ca: CertificateAuthority,
  options: IssueOptions,
): void {
  const [crt, key] = [`${base}.crt`, `${base}.key`];
  if (
    existsSync(crt) &&
    existsSync(key) &&
    satisfies(readFileSync(crt, 'utf8'), readFileSync(key, 'utf8'), ca, options)
  )
    return;
  const issued = issueCertificate(ca, options);
  writePrivate(key, issued.keyPem);
  writePrivate(crt, issued.certPem);
}

/** Whether the certificate embedded in a kubeconfig is still good for that server and CA. */
export function kubeconfigIsCurrent(
  path: string,
  ca: CertificateAuthority,
  server: string,
  options: IssueOptions,
): boolean {
  if (!existsSync(path)) return false;
  const text = readFileSync(path, 'utf8');
  const field = (name: string): string =>
    Buffer.from(new RegExp(`${name}: (\\S+)`).exec(text)?.[1] ?? '', 'base64').toString();
  return (
    text.includes(JSON.stringify(server)) &&
    field('certificate-authority-data') === ca.certPem &&
    satisfies(field('client-certificate-data'), field('client-key-data'), ca, options)
  );
}
