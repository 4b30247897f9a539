import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SystemClock } from '@orrery/component';
import { createCa, issueCertificate } from '@orrery/pki';
import { EtcdClient } from '@orrery/storage';
import { eventually, startEtcd } from '@orrery/testkit';
import type { EtcdTlsFiles, TestEtcd } from '@orrery/testkit';
import { startReplica } from './replica.js';

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const PASSWORD = 'correct horse';

describe('an API server whose etcd wants certificates, a name and a password', () => {
  let folder: string;
  let etcd: TestEtcd;

  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };

  async function makeFiles(hosts: readonly string[]): Promise<EtcdTlsFiles> {
    const now = new SystemClock().now();
    const ca = await createCa('etcd-ca', now);
    const server = await issueCertificate(ca, {
      commonName: 'etcd',
      sans: { ips: hosts },
      usages: ['serverAuth', 'clientAuth'],
      now,
    });
    const client = await issueCertificate(ca, { commonName: '', usages: ['clientAuth'], now });
    file('client.crt', client.certPem);
    file('client.key', client.keyPem);
    const tls = {
      ca: Buffer.from(ca.certPem),
      cert: Buffer.from(client.certPem),
      key: Buffer.from(client.keyPem),
    };
    enableAuth = async (endpoints) => {
      const open = new EtcdClient({ endpoints, tls });
      const { unary } = open.member();
      await unary.library.role('root').create();
      await unary.library.user('root').create(PASSWORD);
      await unary.library.user('root').addRole('root');
      await unary.library.auth.authEnable();
      open.close();
    };
    return {
      caFile: file('ca.crt', ca.certPem),
      certFile: file('server.crt', server.certPem),
      keyFile: file('server.key', server.keyPem),
    };
  }
  let enableAuth: (endpoints: readonly string[]) => Promise<void> = () => Promise.resolve();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'orrery-access-'));
    etcd = await startEtcd({ tls: makeFiles, extraArgs: ['--bcrypt-cost=4'] });
    await enableAuth(etcd.endpoints);
  }, 30_000);

  afterAll(async () => {
    await etcd.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const start = (flags: readonly string[]) =>
    startReplica({ etcd: etcd.endpoints, keyspace: '/access/', flags });

  it('serves with them, over a restart of etcd that forgets its token', async () => {
    const api = await start([
      `--etcd-cafile=${join(folder, 'ca.crt')}`,
      `--etcd-certfile=${join(folder, 'client.crt')}`,
      `--etcd-keyfile=${join(folder, 'client.key')}`,
      '--etcd-username=root',
      `--etcd-password-file=${file('password', `${PASSWORD}\n`)}`,
    ]);
    const watch = await api.watch(`${CONFIG_MAPS}?watch=1`);
    expect((await api.post(CONFIG_MAPS, { metadata: { name: 'before' } })).status).toBe(201);
    await etcd.member.kill();
    await etcd.member.start();
    await eventually(async () => (await api.ask(CONFIG_MAPS)).status === 200);
    expect((await api.post(CONFIG_MAPS, { metadata: { name: 'after' } })).status).toBe(201);
    await eventually(() => watch.types().length === 2);
    await api.close();
  }, 30_000);

  it.each([
    { name: 'a name without a password', flags: ['--etcd-username=root'], says: 'go together' },
    {
      name: 'a file that is not there',
      flags: ['--etcd-username=root', '--etcd-password-file=/no/such'],
      says: '/no/such',
    },
  ])('refuses to start with $name', async ({ flags, says }) => {
    await expect(start(flags)).rejects.toThrow(says);
  });
});
