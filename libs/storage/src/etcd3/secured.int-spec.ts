import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SystemClock } from '@orrery/component';
import { createCa, issueCertificate } from '@orrery/pki';
import { CachedStorage, EtcdClient, EtcdStorage } from '@orrery/storage';
import {
  WatchRecorder,
  codeOf,
  eventually,
  podValue,
  startEtcd,
  startTcpFaultProxy,
} from '@orrery/testkit';
import type { EtcdTlsFiles, TcpFaultProxy, TestEtcd } from '@orrery/testkit';

const CONSISTENT = { freshness: { kind: 'consistent' } } as const;

describe('an etcd that wants TLS with client certificates', () => {
  let folder: string;
  let etcd: TestEtcd;
  let tls: { ca: Buffer; cert: Buffer; key: Buffer };

  async function makeFiles(hosts: readonly string[]): Promise<EtcdTlsFiles> {
    const now = new SystemClock().now();
    const ca = await createCa('etcd-ca', now);
    const server = await issueCertificate(ca, {
      commonName: 'etcd',
      sans: { ips: hosts },
      usages: ['serverAuth', 'clientAuth'],
      now,
    });
    const client = await issueCertificate(ca, {
      commonName: 'kube-apiserver-etcd-client',
      usages: ['clientAuth'],
      now,
    });
    const file = (name: string, pem: string): string => {
      writeFileSync(join(folder, name), pem);
      return join(folder, name);
    };
    tls = {
      ca: Buffer.from(ca.certPem),
      cert: Buffer.from(client.certPem),
      key: Buffer.from(client.keyPem),
    };
    return {
      caFile: file('ca.crt', ca.certPem),
      certFile: file('server.crt', server.certPem),
      keyFile: file('server.key', server.keyPem),
    };
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'orrery-tls-'));
    etcd = await startEtcd({ members: 3, tls: makeFiles });
  }, 60_000);

  afterAll(async () => {
    await etcd.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('writes, reads and watches with a certificate, and goes on when the member that serves is killed', async () => {
    expect(etcd.member.endpoint).toMatch(/^https:/);
    const client = new EtcdClient({ endpoints: etcd.endpoints, tls });
    const storage = new EtcdStorage({ client });
    const prefix = '/registry/pods/ns1/';
    const after = await storage.revision();
    const watch = new WatchRecorder(storage, prefix, { after });
    for (let i = 0; i < 10; i++) await storage.create(`${prefix}p${i}`, podValue(`p${i}`));
    await watch.until(10);
    await etcd.members[0]?.kill();
    const reads = await Promise.all(
      Array.from({ length: 20 }, () => codeOf(storage.get(`${prefix}p1`, CONSISTENT))),
    );
    expect(new Set(reads)).toEqual(new Set(['resolved']));
    await eventually(() => storage.create(`${prefix}last`, podValue('last')));
    await watch.until(11);
    expect(watch.events.map(({ entry }) => entry.object.metadata.name)).toEqual([
      ...Array.from({ length: 10 }, (_, i) => `p${i}`),
      'last',
    ]);
    await watch.stop();
    client.close();
    await etcd.members[0]?.start();
  }, 30_000);

  it.each([
    { name: 'no certificate', choose: () => ({ ca: tls.ca }) },
    {
      name: 'an authority that is not etcd’s',
      choose: async () => {
        const other = await createCa('other', new SystemClock().now());
        return { ...tls, ca: Buffer.from(other.certPem) };
      },
    },
  ])('writes nothing with $name', async ({ choose }) => {
    const client = new EtcdClient({ endpoints: etcd.endpoints, tls: await choose() });
    const storage = new EtcdStorage({ client });
    expect(await codeOf(storage.create('/registry/a/b', podValue('b')))).toBe('unavailable');
    client.close();
  });
});

describe('an etcd that wants a name and a password', () => {
  const auth = { username: 'root', password: 'correct horse' };
  let etcd: TestEtcd;
  let proxy: TcpFaultProxy;

  beforeAll(async () => {
    etcd = await startEtcd({
      // Each login waits for a hash: a cheap one.
      extraArgs: ['--bcrypt-cost=4'],
    });
    proxy = await startTcpFaultProxy(etcd.member.endpoint);
    const open = new EtcdClient({ endpoints: etcd.endpoints });
    const { unary } = open.member();
    await unary.library.role('root').create();
    await unary.library.user('root').create(auth.password);
    await unary.library.user('root').addRole('root');
    await unary.library.auth.authEnable();
    open.close();
  }, 30_000);

  afterAll(async () => {
    await proxy.close();
    await etcd.stop();
  });

  it('names the reason of a refusal, and writes nothing', async () => {
    for (const wrong of [undefined, { ...auth, password: 'wrong' }]) {
      const client = new EtcdClient({ endpoints: etcd.endpoints, ...(wrong && { auth: wrong }) });
      const failure = new EtcdStorage({ client }).create('/registry/a/b', podValue('b'));
      await expect(failure).rejects.toMatchObject({
        code: 'internal',
        message: expect.stringContaining('etcd refuses this user'),
      });
      client.close();
    }
  });

  it.each([
    {
      name: 'a user was added, which makes all tokens old',
      spoil: async (root: EtcdClient) => {
        await root.call({ kind: 'write', what: 'add a user' }, ({ library }, options) =>
          library.auth.userAdd(
            { name: 'other', password: 'other', options: { no_password: false } },
            options,
          ),
        );
        proxy.cut();
      },
    },
    {
      name: 'etcd was restarted, which forgets all tokens as their expiry does',
      spoil: async () => {
        await etcd.member.kill();
        await etcd.member.start();
      },
    },
  ])(
    'goes on with calls and streams when $name',
    async ({ name, spoil }) => {
      const client = new EtcdClient({ endpoints: [proxy.url], auth });
      const root = new EtcdClient({ endpoints: etcd.endpoints, auth });
      const storage = new EtcdStorage({ client });
      const cache = new CachedStorage({ storage });
      const controller = new AbortController();
      const stopped = cache.start(controller.signal);
      await cache.ready();
      const prefix = `/registry/pods/${name.slice(0, 6).replace(' ', '-')}/`;
      const watch = new WatchRecorder(storage, prefix, { after: await storage.revision() });
      await storage.create(`${prefix}before`, podValue('before'));
      await watch.until(1);
      await spoil(root);
      const direct = new EtcdStorage({ client: root });
      await eventually(() => direct.create(`${prefix}after`, podValue('after')));
      await watch.until(2);
      expect(watch.events.map(({ entry }) => entry.object.metadata.name)).toEqual([
        'before',
        'after',
      ]);
      expect((await eventually(() => cache.list(prefix, CONSISTENT))).entries).toHaveLength(2);
      expect(await codeOf(eventually(() => storage.get(`${prefix}after`, CONSISTENT)))).toBe(
        'resolved',
      );
      await watch.stop();
      controller.abort();
      await stopped;
      client.close();
      root.close();
    },
    30_000,
  );
});
