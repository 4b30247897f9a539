import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { TLSSocket, connect, createServer } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { createCa, issueCertificate, isClientCertificateOf } from './index.js';
import type {
  CertificateAndKey,
  CertificateAuthority,
  ExtendedUsage,
  IssueOptions,
} from './index.js';
import { authorityExtensions } from './extensions.js';
import { generateKeyPair, privateKeyToPem, toSigningKey, toSpki } from './keys.js';
import type { KeyPair } from './keys.js';
import { loadX509 } from './load-x509.js';

const DAY_MS = 86_400_000;
const NOW = Date.parse('2026-11-21T00:00:00Z');

const leafOf = async (
  ca: CertificateAuthority,
  options: Partial<IssueOptions> = {},
): Promise<X509Certificate> => {
  const wanted = { commonName: 'jane', usages: ['clientAuth'], now: NOW, ...options } as const;
  return new X509Certificate((await issueCertificate(ca, wanted)).certPem);
};

const ca = await createCa('kubernetes', NOW);
const other = await createCa('kubernetes', NOW);
const shortLived = await createCa('short', NOW, 1);

describe(isClientCertificateOf.name, () => {
  const usages = (...wanted: ExtendedUsage[]): Partial<IssueOptions> => ({ usages: wanted });

  it.each([
    { name: 'for clients', options: usages('clientAuth'), want: true },
    { name: 'for servers and clients', options: usages('serverAuth', 'clientAuth'), want: true },
    { name: 'for any use', options: usages('any'), want: true },
    { name: 'that names no use', options: usages(), want: true },
    { name: 'for servers', options: usages('serverAuth'), want: false },
    { name: 'of the past', options: { days: 1, now: NOW - 2 * DAY_MS }, want: false },
    { name: 'of the future', options: { now: NOW + DAY_MS }, want: false },
  ])('judges a certificate $name', async ({ options, want }) => {
    expect(isClientCertificateOf(await leafOf(ca, options), [ca.certificate], NOW)).toBe(want);
  });

  it('believes any of several roots, and no other of the same name', async () => {
    const leaf = await leafOf(ca);
    expect(isClientCertificateOf(leaf, [other.certificate, ca.certificate], NOW)).toBe(true);
    expect(isClientCertificateOf(leaf, [other.certificate], NOW)).toBe(false);
    expect(isClientCertificateOf(leaf, [], NOW)).toBe(false);
  });

  it('believes a certificate that is itself among the roots', async () => {
    const leaf = await leafOf(other);
    expect(isClientCertificateOf(leaf, [ca.certificate, leaf], NOW)).toBe(true);
  });

  it('believes no root after its time', async () => {
    const leaf = await leafOf(shortLived, { days: 1 });
    expect(isClientCertificateOf(leaf, [shortLived.certificate], NOW)).toBe(true);
    expect(isClientCertificateOf(leaf, [shortLived.certificate], NOW + 2 * DAY_MS)).toBe(false);
  });
});

/** A CA that another one has signed; `isCa`: whether it says that it is one. */
async function intermediateOf(
  issuer: CertificateAuthority,
  { isCa = true, now = NOW, keys }: { isCa?: boolean; now?: number; keys?: KeyPair } = {},
): Promise<CertificateAuthority> {
  const [x509, own] = await Promise.all([loadX509(), keys ?? generateKeyPair()]);
  const certificate = await x509.X509CertificateGenerator.create({
    issuer: issuer.certificate.subject,
    subject: 'CN=between',
    publicKey: new x509.PublicKey(toSpki(own.publicKey)),
    signingKey: await toSigningKey(issuer.keys.privateKey),
    notBefore: new Date(now),
    notAfter: new Date(now + DAY_MS),
    extensions: isCa ? [...authorityExtensions(x509)] : [],
  });
  const certPem = `${certificate.toString('pem')}\n`;
  const keyPem = privateKeyToPem(own.privateKey);
  return { certPem, keyPem, certificate: new X509Certificate(certPem), keys: own };
}

/** The certificate as a server has it from a client that shows `shown`. */
async function asShown(shown: CertificateAndKey): Promise<X509Certificate> {
  const own = await issueCertificate(ca, { commonName: 'api', usages: ['serverAuth'], now: NOW });
  const server = createServer({
    key: own.keyPem,
    cert: own.certPem,
    requestCert: true,
    rejectUnauthorized: false,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect({
    host: '127.0.0.1',
    port,
    key: shown.keyPem,
    cert: shown.certPem,
    rejectUnauthorized: false,
  });
  const [socket] = (await once(server, 'secureConnection')) as [TLSSocket];
  const certificate = socket.getPeerX509Certificate();
  client.destroy();
  server.close();
  await once(server, 'close');
  if (!certificate) throw new Error('the client has shown nothing');
  return certificate;
}

describe('isClientCertificateOf a chain', () => {
  const leafPem = (issuer: CertificateAuthority): Promise<CertificateAndKey> =>
    issueCertificate(issuer, { commonName: 'jane', usages: ['clientAuth'], now: NOW });
  const chainOf = (
    leaf: CertificateAndKey,
    ...links: CertificateAuthority[]
  ): CertificateAndKey => ({
    ...leaf,
    certPem: leaf.certPem + links.map(({ certPem }) => certPem).join(''),
  });

  it('follows the intermediates that the client sends', async () => {
    const upper = await intermediateOf(ca);
    const lower = await intermediateOf(upper);
    const leaf = await leafPem(lower);
    const whole = await asShown(chainOf(leaf, lower, upper));
    expect(isClientCertificateOf(whole, [ca.certificate], NOW)).toBe(true);
    expect(isClientCertificateOf(whole, [other.certificate], NOW)).toBe(false);
    const part = await asShown(chainOf(leaf, lower));
    expect(isClientCertificateOf(part, [ca.certificate], NOW)).toBe(false);
    expect(isClientCertificateOf(part, [upper.certificate], NOW)).toBe(true);
  });

  it('does not believe a user who signs others', async () => {
    const user = await intermediateOf(ca, { isCa: false });
    const shown = await asShown(chainOf(await leafPem(user), user));
    expect(isClientCertificateOf(shown, [ca.certificate], NOW)).toBe(false);
  });

  it('does not believe an intermediate after its time', async () => {
    const now = await intermediateOf(ca);
    const before = await intermediateOf(ca, { now: NOW - 3 * DAY_MS, keys: now.keys });
    const leaf = await leafPem(now);
    const judge = async (link: CertificateAuthority): Promise<boolean> =>
      isClientCertificateOf(await asShown(chainOf(leaf, link)), [ca.certificate], NOW);
    expect(await judge(now)).toBe(true);
    expect(await judge(before)).toBe(false);
  });
});
