import { X509Certificate, createHash, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import {
  bitString,
  boolean,
  childOf,
  element,
  integer,
  nothing,
  octetString,
  oid,
  sequence,
  time,
} from './der.js';
import { generateKeyPair, parsePrivateKey, privateKeyToPem, subjectKeyId } from './keys.js';
import type { KeyPair } from './keys.js';
import { encodeName } from './name.js';
import type { Subject } from './name.js';
import { fromPem, toPem } from './pem.js';

const DAY_MS = 86_400_000;
/** Clock skew that a fresh certificate forgives. */
const BACKDATE_MS = 5 * 60_000;

export type ExtendedUsage = 'serverAuth' | 'clientAuth';

const USAGE_OIDS: Readonly<Record<ExtendedUsage, string>> = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
};

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

export interface AlternativeNames {
  readonly dns?: readonly string[];
  readonly ips?: readonly string[];
}

export interface IssueOptions extends Subject {
  readonly sans?: AlternativeNames;
  readonly usages: readonly ExtendedUsage[];
  readonly days?: number;
  /** Milliseconds since the epoch at which validity begins. */
  readonly now: number;
  /** Certify this key (of a CSR) in place of a new one. */
  readonly publicKey?: KeyObject;
}

const extension = (id: string, critical: boolean, value: Buffer): Buffer =>
  sequence(oid(id), ...(critical ? [boolean(true)] : []), octetString(value));

function ipBytes(ip: string): Buffer {
  if (isIPv4(ip)) return Buffer.from(ip.split('.').map(Number));
  const [head = '', tail] = ip.split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  const bytes = [...left, ...zeros, ...right].flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
  return Buffer.from(bytes);
}

function alternativeNames({ dns = [], ips = [] }: AlternativeNames): Buffer | undefined {
  const bad = ips.find((ip) => !isIPv4(ip) && !isIPv6(ip));
  if (bad !== undefined) throw new RangeError(`not an IP address: ${bad}`);
  if (dns.length + ips.length === 0) return undefined;
  return extension(
    '2.5.29.17',
    false,
    sequence(
      ...dns.map((name) => element(0x82, Buffer.from(name, 'latin1'))),
      ...ips.map((ip) => element(0x87, ipBytes(ip))),
    ),
  );
}

/** The algorithm identifier with which `key` signs. */
function signatureAlgorithm(key: KeyObject): Buffer {
  return key.asymmetricKeyType === 'rsa'
    ? sequence(oid('1.2.840.113549.1.1.11'), nothing())
    : sequence(oid('1.2.840.10045.4.3.2'));
}

interface Draft {
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly spki: Buffer;
  readonly signer: KeyObject;
  readonly authorityKeyId: Buffer;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly extensions: readonly Buffer[];
}

const spkiOf = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'spki' });
const keyIdOf = (spki: Buffer): Buffer =>
  subjectKeyId(childOf(childOf(spki, 0).content, 1).content.subarray(1));

function signCertificate(draft: Draft): string {
  const algorithm = signatureAlgorithm(draft.signer);
  const serial = randomBytes(16);
  serial[0] = (serial[0] ?? 0) & 0x7f;
  const extensions = [
    ...draft.extensions,
    extension('2.5.29.14', false, octetString(keyIdOf(draft.spki))),
    extension('2.5.29.35', false, sequence(element(0x80, draft.authorityKeyId))),
  ];
  const tbs = sequence(
    element(0xa0, integer(Buffer.from([2]))),
    integer(serial),
    algorithm,
    draft.issuer,
    sequence(time(draft.notBefore), time(draft.notAfter)),
    draft.subject,
    draft.spki,
    element(0xa3, sequence(...extensions)),
  );
  return toPem(
    'CERTIFICATE',
    sequence(tbs, algorithm, bitString(sign('sha256', tbs, draft.signer))),
  );
}

/** Subject, as encoded, of a certificate in DER: the issuer of what it signs. */
function encodedSubject(der: Buffer): Buffer {
  const tbs = childOf(childOf(der, 0).content, 0);
  return childOf(tbs.content, 5).raw;
}

/** A new self-signed CA, EC P-256, ten years. */
export function createCa(commonName: string, now: number, days = 3650): CertificateAuthority {
  const keys = generateKeyPair();
  const name = encodeName({ commonName });
  const spki = spkiOf(keys.publicKey);
  const certPem = signCertificate({
    issuer: name,
    subject: name,
    spki,
    signer: keys.privateKey,
    authorityKeyId: keyIdOf(spki),
    notBefore: now - BACKDATE_MS,
    notAfter: now + days * DAY_MS,
    extensions: [
      // digitalSignature, keyEncipherment, keyCertSign: as kubeadm's CAs.
      extension('2.5.29.15', true, bitString(Buffer.from([0xa4]), 2)),
      extension('2.5.29.19', true, sequence(boolean(true))),
      ...[alternativeNames({ dns: [commonName] })].filter((e) => e !== undefined),
    ],
  });
  return {
    certPem,
    keyPem: privateKeyToPem(keys.privateKey),
    certificate: new X509Certificate(certPem),
    keys,
  };
}

/** The CA that these two files hold. Throws when they do not belong together. */
export function parseCa({ certPem, keyPem }: CertificateAndKey): CertificateAuthority {
  const certificate = new X509Certificate(certPem);
  const keys = parsePrivateKey(keyPem);
  if (!certificate.checkPrivateKey(keys.privateKey))
    throw new Error('the CA certificate and its key do not belong together');
  return { certPem, keyPem, certificate, keys };
}

/** A certificate for `publicKey`, signed by the CA; validity never outlives the CA's. */
export function signPublicKey(
  ca: CertificateAuthority,
  options: IssueOptions & { readonly publicKey: KeyObject },
): string {
  const sans = options.sans ? alternativeNames(options.sans) : undefined;
  return signCertificate({
    issuer: encodedSubject(ca.certificate.raw),
    subject: encodeName(options),
    spki: spkiOf(options.publicKey),
    signer: ca.keys.privateKey,
    authorityKeyId: keyIdOf(spkiOf(ca.keys.publicKey)),
    notBefore: options.now - BACKDATE_MS,
    notAfter: Math.min(
      options.now + (options.days ?? 365) * DAY_MS,
      Date.parse(ca.certificate.validTo),
    ),
    extensions: [
      // digitalSignature, keyEncipherment.
      extension('2.5.29.15', true, bitString(Buffer.from([0xa0]), 5)),
      extension('2.5.29.37', false, sequence(...options.usages.map((u) => oid(USAGE_OIDS[u])))),
      extension('2.5.29.19', true, sequence()),
      ...(sans ? [sans] : []),
    ],
  });
}

/** A new key with a certificate of the CA: CN is the user or host, O the groups. Default one year. */
export function issueCertificate(
  ca: CertificateAuthority,
  options: IssueOptions,
): CertificateAndKey {
  const keys = generateKeyPair();
  return {
    certPem: signPublicKey(ca, { ...options, publicKey: keys.publicKey }),
    keyPem: privateKeyToPem(keys.privateKey),
  };
}

/** `sha256:<hex>` of the CA's public key: the value of kubeadm's --discovery-token-ca-cert-hash. */
export function caCertHash(certPem: string): string {
  const spki = spkiOf(new X509Certificate(certPem).publicKey);
  return `sha256:${createHash('sha256').update(spki).digest('hex')}`;
}

/** Every certificate of a PEM bundle. */
export function parseCertificates(pem: string): readonly X509Certificate[] {
  return fromPem('CERTIFICATE', pem).map((der) => new X509Certificate(der));
}
