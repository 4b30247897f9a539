import { X509Certificate, createHash } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Extension, Name, PublicKey } from '@peculiar/x509';
import {
  alternativeNames,
  authorityExtensions,
  keyIdentifiers,
  leafExtensions,
} from './extensions.js';
import type { AlternativeNames, ExtendedUsage, KeyUsage } from './extensions.js';
import { issuerOf } from './issuer.js';
import { generateKeyPair, parsePrivateKey, privateKeyToPem, toSigningKey, toSpki } from './keys.js';
import type { KeyPair } from './keys.js';
import { toName } from './name.js';
import type { Subject } from './name.js';
import { pemBlocks } from './pem.js';
import { PkiError, readOrRefuse } from './pki-error.js';
import { loadX509 } from './load-x509.js';
import type { X509Library } from './x509-library.js';

const DAY_MS = 86_400_000;
/** Clock skew that a fresh certificate forgives. */
const BACKDATE_MS = 5 * 60_000;

/** A certificate in PEM with its private key. */
export interface CertificateAndKey {
  readonly certPem: string;
  readonly keyPem: string;
}

/** A certificate authority that can sign. */
export interface CertificateAuthority extends CertificateAndKey {
  readonly certificate: X509Certificate;
  readonly keys: KeyPair;
}

export interface IssueOptions extends Subject {
  readonly sans?: AlternativeNames;
  readonly usages: readonly ExtendedUsage[];
  /** Default digital signature and key encipherment. */
  readonly keyUsages?: readonly KeyUsage[];
  /** Default 365. */
  readonly days?: number;
  /** Milliseconds since the epoch at which validity begins. */
  readonly now: number;
}

interface Draft {
  readonly issuer: Name;
  readonly subject: Name;
  readonly publicKey: PublicKey;
  readonly signer: KeyObject;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly extensions: readonly Extension[];
}

/** Whole seconds: RFC 5280 4.1.2.5 has no fractions. */
const date = (ms: number): Date => new Date(Math.floor(ms / 1000) * 1000);

async function signCertificate(x509: X509Library, draft: Draft): Promise<string> {
  const certificate = await x509.X509CertificateGenerator.create({
    issuer: draft.issuer,
    subject: draft.subject,
    publicKey: draft.publicKey,
    signingKey: await toSigningKey(draft.signer),
    notBefore: date(draft.notBefore),
    notAfter: date(draft.notAfter),
    extensions: [...draft.extensions],
  });
  return `${certificate.toString('pem')}\n`;
}

/** A new self-signed CA, EC P-256, ten years. */
export async function createCa(
  commonName: string,
  now: number,
  days = 3650,
): Promise<CertificateAuthority> {
  const [x509, keys] = await Promise.all([loadX509(), generateKeyPair()]);
  const name = toName(x509, { commonName });
  const publicKey = new x509.PublicKey(toSpki(keys.publicKey));
  const certPem = await signCertificate(x509, {
    issuer: name,
    subject: name,
    publicKey,
    signer: keys.privateKey,
    notBefore: now - BACKDATE_MS,
    notAfter: now + days * DAY_MS,
    extensions: [
      ...authorityExtensions(x509),
      ...alternativeNames(x509, { dns: [commonName] }),
      ...(await keyIdentifiers(x509, publicKey)),
    ],
  });
  return {
    certPem,
    keyPem: privateKeyToPem(keys.privateKey),
    certificate: new X509Certificate(certPem),
    keys,
  };
}

/** The CA that these two files hold. Throws PkiError: malformed, or mismatch when they do not belong together. */
export function parseCa({ certPem, keyPem }: CertificateAndKey): CertificateAuthority {
  const certificate = readOrRefuse('CA certificate', () => new X509Certificate(certPem));
  const keys = readOrRefuse('CA key', () => parsePrivateKey(keyPem));
  if (!certificate.checkPrivateKey(keys.privateKey))
    throw new PkiError('mismatch', 'the CA certificate and its key do not belong together');
  return { certPem, keyPem, certificate, keys };
}

/** A certificate for a key (of a CSR, say), signed by the CA; validity never outlives the CA's. Throws PkiError. */
export async function signPublicKey(
  ca: CertificateAuthority,
  options: IssueOptions & { readonly publicKey: KeyObject },
): Promise<string> {
  const { now, days = 365 } = options;
  const x509 = await loadX509();
  const issuer = await issuerOf(x509, ca.certificate);
  const publicKey = new x509.PublicKey(toSpki(options.publicKey));
  return signCertificate(x509, {
    issuer: issuer.name,
    subject: toName(x509, options),
    publicKey,
    signer: ca.keys.privateKey,
    notBefore: now - BACKDATE_MS,
    notAfter: Math.min(now + days * DAY_MS, Date.parse(ca.certificate.validTo)),
    extensions: [
      ...leafExtensions(x509, options.usages, options.keyUsages),
      ...alternativeNames(x509, options.sans ?? {}),
      ...(await keyIdentifiers(x509, publicKey, issuer.keyId)),
    ],
  });
}

/** A new key with a certificate of the CA: CN is the user or host, O the groups. Throws PkiError. */
export async function issueCertificate(
  ca: CertificateAuthority,
  options: IssueOptions,
): Promise<CertificateAndKey> {
  const { privateKey, publicKey } = await generateKeyPair();
  const certPem = await signPublicKey(ca, { ...options, publicKey });
  return { certPem, keyPem: privateKeyToPem(privateKey) };
}

/** `sha256:<hex>` of the CA's public key: the value of kubeadm's --discovery-token-ca-cert-hash. */
export function caCertHash(certPem: string): string {
  const certificate = readOrRefuse('CA certificate', () => new X509Certificate(certPem));
  return `sha256:${createHash('sha256').update(toSpki(certificate.publicKey)).digest('hex')}`;
}

/** Every certificate of a PEM bundle. Throws PkiError. */
export function parseCertificates(pem: string): readonly X509Certificate[] {
  return pemBlocks(pem)
    .filter(({ label }) => label === 'CERTIFICATE')
    .map(({ text }) => readOrRefuse('certificate', () => new X509Certificate(text)));
}
