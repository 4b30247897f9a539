import { X509Certificate, createHash, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { integer, sequence, time, wrapped } from './asn1/der.js';
import { signatureAlgorithm, toSignedPem } from './asn1/signed.js';
import {
  alternativeNames,
  authorityExtensions,
  keyIdentifiers,
  leafExtensions,
} from './extensions.js';
import type { AlternativeNames, ExtendedUsage } from './extensions.js';
import { issuerOf } from './issuer.js';
import { generateKeyPair, parsePrivateKey, privateKeyToPem, toSpki } from './keys.js';
import type { KeyPair } from './keys.js';
import { toName } from './name.js';
import type { Subject } from './name.js';
import { pemBlocks } from './pem.js';
import { PkiError, readOrRefuse } from './pki-error.js';

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
  /** Default 365. */
  readonly days?: number;
  /** Milliseconds since the epoch at which validity begins. */
  readonly now: number;
}

interface Draft {
  /** Names, the key and extensions in DER. */
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly spki: Buffer;
  readonly signer: KeyObject;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly extensions: readonly Buffer[];
}

/** Version 3. */
const VERSION = wrapped(0, integer(Buffer.of(2)));
const EXTENSIONS = 3;
const SERIAL_BYTES = 16;

/** Positive, and of no more bytes than it was given. */
function serialNumber(): Buffer {
  const bytes = randomBytes(SERIAL_BYTES);
  bytes.writeUInt8((bytes.readUInt8(0) % 64) + 64, 0);
  return integer(bytes);
}

/** RFC 5280 4.1. */
function signCertificate(draft: Draft): string {
  const { algorithm } = signatureAlgorithm(draft.signer);
  const content = sequence(
    VERSION,
    serialNumber(),
    algorithm,
    draft.issuer,
    sequence(time(draft.notBefore), time(draft.notAfter)),
    draft.subject,
    draft.spki,
    wrapped(EXTENSIONS, sequence(...draft.extensions)),
  );
  return toSignedPem('CERTIFICATE', content, draft.signer);
}

/** A new self-signed CA, EC P-256, ten years. */
export async function createCa(
  commonName: string,
  now: number,
  days = 3650,
): Promise<CertificateAuthority> {
  const keys = await generateKeyPair();
  const name = toName({ commonName });
  const spki = toSpki(keys.publicKey);
  const certPem = signCertificate({
    issuer: name,
    subject: name,
    spki,
    signer: keys.privateKey,
    notBefore: now - BACKDATE_MS,
    notAfter: now + days * DAY_MS,
    extensions: [
      ...authorityExtensions(),
      ...alternativeNames({ dns: [commonName] }),
      ...keyIdentifiers(spki),
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
export function signPublicKey(
  ca: CertificateAuthority,
  options: IssueOptions & { readonly publicKey: KeyObject },
): string {
  const { now, days = 365 } = options;
  const issuer = issuerOf(ca.certificate);
  const spki = toSpki(options.publicKey);
  return signCertificate({
    issuer: issuer.name,
    subject: toName(options),
    spki,
    signer: ca.keys.privateKey,
    notBefore: now - BACKDATE_MS,
    notAfter: Math.min(now + days * DAY_MS, Date.parse(ca.certificate.validTo)),
    extensions: [
      ...leafExtensions(options.usages),
      ...alternativeNames(options.sans ?? {}),
      ...keyIdentifiers(spki, issuer.keyId),
    ],
  });
}

/** A new key with a certificate of the CA: CN is the user or host, O the groups. Throws PkiError. */
export async function issueCertificate(
  ca: CertificateAuthority,
  options: IssueOptions,
): Promise<CertificateAndKey> {
  const { privateKey, publicKey } = await generateKeyPair();
  const certPem = signPublicKey(ca, { ...options, publicKey });
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
