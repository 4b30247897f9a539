import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createCa,
  createSigningRequest,
  issueCertificate,
  parseCa,
  parseSigningRequest,
  signPublicKey,
  subjectOf,
} from './index.js';
import type { CertificateAuthority, IssueOptions } from './index.js';

const NOW = new Date().getTime();
const server: IssueOptions = {
  commonName: 'kube-apiserver',
  usages: ['serverAuth'],
  sans: { dns: ['kubernetes'], ips: ['127.0.0.1', '::1'] },
  now: NOW,
};
const client: IssueOptions = {
  commonName: 'alice',
  organizations: ['b', 'a'],
  usages: ['clientAuth'],
  now: NOW,
};

const ca = await createCa('kubernetes', NOW);

describe('certificates in TLS of Node', () => {
  const shown = async (
    options: ConnectionOptions,
    issuer: CertificateAuthority,
  ): Promise<unknown> => {
    const { certPem, keyPem } = await issueCertificate(issuer, server);
    const requirements = { requestCert: true, rejectUnauthorized: true, ca: ca.certPem };
    const listener = createServer({ cert: certPem, key: keyPem, ...requirements });
    const peer = once(listener, 'secureConnection');
    peer.catch(() => undefined);
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as AddressInfo;
    const socket = connect({ host: '127.0.0.1', port, ca: ca.certPem, ...options });
    try {
      await once(socket, 'secureConnect');
      const [accepted] = (await peer) as [TLSSocket];
      const certificate = accepted.getPeerX509Certificate();
      return certificate && subjectOf(certificate);
    } finally {
      socket.destroy();
      listener.close();
    }
  };
  const credentials = async (): Promise<ConnectionOptions> => {
    const { certPem, keyPem } = await issueCertificate(ca, client);
    return { cert: certPem, key: keyPem };
  };

  it('are accepted on both sides, by IP address', async () => {
    expect(await shown(await credentials(), ca)).toEqual({
      commonName: 'alice',
      organizations: ['b', 'a'],
    });
  });

  it('are refused when another CA issued them', async () => {
    const other = await createCa('kubernetes', NOW);
    await expect(shown(await credentials(), other)).rejects.toThrow(/certificate|signature/);
  });

  it('are refused for a name that they do not have', async () => {
    const options = { ...(await credentials()), servername: 'elsewhere' };
    await expect(shown(options, ca)).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });
});

describe('certificates and requests beside OpenSSL', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'pki-openssl-'));
  });
  afterAll(() => {
    rmSync(dir, { recursive: true });
  });

  /** What openssl prints; undefined on a machine that has none. */
  function openssl(...args: readonly string[]): string | undefined {
    try {
      return execFileSync('openssl', args, { cwd: dir, encoding: 'utf8', stdio: 'pipe' });
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }
  const put = (name: string, text: string): void => {
    writeFileSync(join(dir, name), text);
  };
  const get = (name: string): string => readFileSync(join(dir, name), 'utf8');

  it('verifies the chain strictly, for its address and purpose', async () => {
    put('ca.crt', ca.certPem);
    put('leaf.crt', (await issueCertificate(ca, server)).certPem);
    const purpose = ['-purpose', 'sslserver', '-verify_ip', '127.0.0.1'];
    const said = openssl('verify', '-x509_strict', ...purpose, '-CAfile', 'ca.crt', 'leaf.crt');
    expect(said ?? 'leaf.crt: OK').toContain('leaf.crt: OK');
  });

  it('reads the request that createSigningRequest writes', async () => {
    put('node.csr', (await createSigningRequest(client, ['n1'])).csrPem);
    const said = openssl('req', '-in', 'node.csr', '-noout', '-verify', '-subject');
    expect(said ?? 'subject=O = b, O = a, CN = alice').toMatch(/O ?= ?b, O ?= ?a, CN ?= ?alice/);
  });

  it.each([
    { name: 'RSA', key: ['rsa:2048'], bits: { type: 'rsa' } },
    { name: 'P-384', key: ['ec', '-pkeyopt', 'ec_paramgen_curve:secp384r1'], bits: { type: 'ec' } },
    { name: 'Ed25519', key: ['ed25519'], bits: { type: 'ed25519' } },
  ])('certifies a request for a key of $name', async ({ key, bits }) => {
    const sans = 'DNS:n1,DNS:n1.b,IP:10.1.2.3,IP:fd00::1,email:a@b.c,URI:spiffe://x/y';
    const request = ['req', '-new', '-nodes', '-keyout', 'user.key', '-out', 'user.csr'];
    const names = ['-subj', '/O=b/O=a/CN=alice', '-addext', `subjectAltName=${sans}`];
    const made = openssl(...request, ...names, '-newkey', ...key);
    if (made === undefined) return;
    const parsed = await parseSigningRequest(get('user.csr'));
    expect(parsed).toMatchObject({
      subject: { commonName: 'alice', organizations: ['b', 'a'] },
      dns: ['n1', 'n1.b'],
      ips: ['10.1.2.3', 'fd00::1'],
      emails: ['a@b.c'],
      uris: ['spiffe://x/y'],
    });
    expect(parsed.publicKey.asymmetricKeyType).toBe(bits.type);
    put('ca.crt', ca.certPem);
    put('user.crt', await signPublicKey(ca, { ...client, publicKey: parsed.publicKey }));
    expect(openssl('verify', '-CAfile', 'ca.crt', 'user.crt')).toContain('OK');
    expect(new X509Certificate(get('user.crt')).publicKey.equals(parsed.publicKey)).toBe(true);
  });

  it.each([
    { name: 'RSA', key: ['rsa:2048'] },
    { name: 'P-384', key: ['ec', '-pkeyopt', 'ec_paramgen_curve:secp384r1'] },
  ])('signs with a CA of $name that OpenSSL made, under the identifier it has', async ({ key }) => {
    const request = ['req', '-x509', '-nodes', '-keyout', 'own.key', '-out', 'own.crt'];
    const names = ['-days', '3650', '-subj', '/C=NL/O=Own/CN=own-ca'];
    const ids = ['-addext', 'subjectKeyIdentifier=01:02', '-addext', 'authorityKeyIdentifier=none'];
    const made = openssl(...request, ...names, ...ids, '-newkey', ...key);
    if (made === undefined) return;
    const own = parseCa({ certPem: get('own.crt'), keyPem: get('own.key') });
    put('own-leaf.crt', (await issueCertificate(own, server)).certPem);
    expect(openssl('verify', '-CAfile', 'own.crt', 'own-leaf.crt')).toContain('OK');
  });
});
