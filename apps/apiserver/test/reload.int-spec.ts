import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SystemClock } from '@orrery/component';
import { createCa, issueCertificate } from '@orrery/pki';
import type { CertificateAuthority } from '@orrery/pki';
import { eventually, useEtcd } from '@orrery/testkit';
import { startReplica } from './replica.js';
import type { Json, Replica } from './replica.js';

type Pair = Awaited<ReturnType<typeof issueCertificate>>;

const now = new SystemClock().now();
const TRUST = '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication';

describe('TLS files that change', () => {
  const etcd = useEtcd();
  const folder = mkdtempSync(join(tmpdir(), 'orrery-reload-'));
  let replica: Replica;
  let cas: CertificateAuthority[];
  let fronts: CertificateAuthority[];

  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };

  const serving = (ca: CertificateAuthority | undefined, dns: string): Promise<Pair> =>
    issueCertificate(need(ca), {
      commonName: dns,
      usages: ['serverAuth'],
      now,
      sans: { dns: [dns], ips: [] },
    });

  const client = (ca: CertificateAuthority | undefined, commonName: string): Promise<Pair> =>
    issueCertificate(need(ca), {
      commonName,
      organizations: ['system:masters'],
      usages: ['clientAuth'],
      now,
    });

  const need = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error('missing');
    return value;
  };

  beforeAll(async () => {
    cas = [await createCa('first', now), await createCa('second', now)];
    fronts = [await createCa('front', now), await createCa('other-front', now)];
    const [cert, sni] = [await serving(cas[0], 'one.example.com'), await serving(cas[0], 'sni.io')];
    replica = await startReplica({
      etcd: etcd.endpoints,
      keyspace: etcd.keyspace,
      reloadMs: 50,
      flags: [
        `--tls-cert-file=${write('tls.crt', cert.certPem)}`,
        `--tls-private-key-file=${write('tls.key', cert.keyPem)}`,
        `--tls-sni-cert-key=${write('sni.crt', sni.certPem)},${write('sni.key', sni.keyPem)}`,
        `--client-ca-file=${write('ca.crt', need(cas[0]).certPem)}`,
        `--requestheader-client-ca-file=${write('front.crt', need(fronts[0]).certPem)}`,
        '--authorization-mode=RBAC',
      ],
    });
  });

  afterAll(async () => {
    await replica.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Whose certificate is shown to who asks for this name. */
  const shown = (servername: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(replica.address);
      const socket = connect(
        { host: hostname, port: Number(port), servername, rejectUnauthorized: false },
        () => {
          resolve(String(socket.getPeerCertificate().subject.CN));
          socket.destroy();
        },
      );
      socket.on('error', reject);
    });

  const statusOf = async (pair: Pair, headers: Record<string, string> = {}): Promise<number> => {
    const tls = { cert: pair.certPem, key: pair.keyPem };
    return (await replica.ask('/api/v1/namespaces', { tls, headers })).status;
  };

  it('shows the new serving certificate', async () => {
    expect(await shown('localhost')).toBe('one.example.com');
    const next = await serving(cas[0], 'two.example.com');
    // The two files are not written at once.
    write('tls.crt', next.certPem);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await shown('localhost')).toBe('one.example.com');
    write('tls.key', next.keyPem);
    await eventually(async () => {
      expect(await shown('localhost')).toBe('two.example.com');
    });
  });

  it('shows the new certificate of a name', async () => {
    expect([await shown('sni.io'), await shown('x.sni.io')]).toEqual(['sni.io', 'two.example.com']);
    const next = await serving(cas[0], '*.sni.io');
    write('sni.crt', next.certPem);
    write('sni.key', next.keyPem);
    await eventually(async () => {
      expect([await shown('sni.io'), await shown('x.sni.io')]).toEqual([
        'two.example.com',
        '*.sni.io',
      ]);
    });
  });

  it('trusts the new client CA, and the old one no more', async () => {
    const [before, after] = [await client(cas[0], 'jane'), await client(cas[1], 'joe')];
    expect([await statusOf(before), await statusOf(after)]).toEqual([200, 401]);
    write('ca.crt', 'nonsense');
    write('ca.crt', need(cas[1]).certPem);
    await eventually(async () => {
      expect([await statusOf(before), await statusOf(after)]).toEqual([401, 200]);
    });
  });

  it('trusts the new CA of front proxies, and tells extension servers', async () => {
    const headers = { 'x-remote-user': 'proxied', 'x-remote-group': 'system:masters' };
    const proxies = [
      await client(fronts[0], 'front-proxy-client'),
      await client(fronts[1], 'front-proxy-client'),
    ].map((pair) => () => statusOf(pair, headers));
    const all = (): Promise<number[]> => Promise.all(proxies.map((ask) => ask()));
    expect(await all()).toEqual([200, 401]);
    write('front.crt', need(fronts[1]).certPem);
    await eventually(async () => {
      expect(await all()).toEqual([401, 200]);
    });
    const admin = await client(cas[1], 'joe');
    await eventually(async () => {
      const tls = { cert: admin.certPem, key: admin.keyPem };
      const { data } = (await replica.ask(TRUST, { tls })).json as { data: Json };
      const certificates = (key: string): number =>
        String(data[key]).split('BEGIN CERTIFICATE').length - 1;
      expect(certificates('client-ca-file')).toBe(2);
      expect(certificates('requestheader-client-ca-file')).toBe(2);
    });
  });
});
