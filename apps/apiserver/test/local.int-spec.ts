import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ConfigMap } from '@orrery/api';
import { resources } from '@orrery/api';
import { connect } from '@orrery/client';
import type { ConnectOptions, KubeClient, WatchEvent } from '@orrery/client';
import { LocalServers, SystemClock } from '@orrery/component';
import { createCa, issueCertificate } from '@orrery/pki';
import { eventually, useEtcd } from '@orrery/testkit';
import { startReplica } from './replica.js';
import type { Json, Replica } from './replica.js';

const AUDITED = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: RequestResponse, resources: [{group: '', resources: [configmaps]}]}]
`;

const etcd = useEtcd();
const folder = mkdtempSync(join(tmpdir(), 'orrery-local-'));
const local = new LocalServers();
let api: Replica;
let certificate: { cert: string; key: string };
let strange: { cert: string; key: string };

const file = (name: string, text = ''): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

beforeAll(async () => {
  const now = new SystemClock().now();
  const ca = await createCa('spec-ca', now);
  const issue = async (): Promise<{ cert: string; key: string }> => {
    const issued = await issueCertificate(ca, {
      commonName: 'jane',
      organizations: ['system:masters'],
      usages: ['clientAuth'],
      now,
    });
    return { cert: issued.certPem, key: issued.keyPem };
  };
  certificate = await issue();
  strange = { cert: certificate.cert, key: (await issue()).key };
  api = await startReplica({
    etcd: etcd.endpoints,
    keyspace: etcd.keyspace,
    local,
    headers: { authorization: 'Bearer root' },
    flags: [
      '--authorization-mode=RBAC',
      `--client-ca-file=${file('ca.crt', ca.certPem)}`,
      `--token-auth-file=${file('tokens.csv', 'root,root,1,system:masters\nbob,bob,2\n')}`,
      `--audit-policy-file=${file('policy.yaml', AUDITED)}`,
      `--audit-log-path=${join(folder, 'audit.log')}`,
    ],
  });
}, 60_000);

afterAll(async () => {
  await api.close();
  rmSync(folder, { recursive: true });
});

/** How many ConfigMaps the server counts as asked to be created, and made. */
const counted = async (): Promise<number> => {
  const { text } = await api.ask('/metrics');
  const lines = text.split('\n').filter((line) => line.startsWith('apiserver_request_total{'));
  const wanted = ['resource="configmaps"', 'verb="POST"', 'code="201"'];
  const found = lines.filter((line) => wanted.every((label) => line.includes(label)));
  return found.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
};

describe.each([
  { way: 'over the wire', servers: undefined },
  { way: 'within the process', servers: local },
])('a client $way', ({ servers, way }) => {
  const namespace = 'default';
  const named = (name: string): { namespace: string; name: string } => ({ namespace, name });
  const toMap = (name: string, data: Record<string, string> = {}): ConfigMap => ({
    metadata: named(name),
    data,
  });
  const opened: KubeClient[] = [];
  const open = (how: Partial<ConnectOptions> = { token: 'root' }): KubeClient => {
    const server = api.address;
    // Whoever stays within the process has no server's certificate to believe.
    const insecureSkipTlsVerify = servers === undefined;
    const options = { server, insecureSkipTlsVerify, local: servers, ...how };
    const client = connect({ ...options, userAgent: 'spec/1' });
    opened.push(client);
    return client;
  };
  const maps = (how?: Partial<ConnectOptions>) => open(how).resource(resources.configmaps);

  beforeEach(async () => {
    await maps().deleteCollection({ namespace });
  });

  afterEach(async () => {
    for (const client of opened.splice(0)) await client.close();
  });

  it('creates, reads, changes, lists and deletes', async () => {
    const all = maps();
    const made = await all.create(toMap('a', { text: 'ä"\n' }));
    expect(made).toMatchObject({ kind: 'ConfigMap', data: { text: 'ä"\n' } });
    expect(await all.get(named('a'))).toEqual(made);
    const patched = await all.patch(named('a'), 'merge', { data: { more: 'x' } });
    expect(patched.data).toEqual({ text: 'ä"\n', more: 'x' });
    const updated = await all.update({ ...patched, data: { only: 'y' } });
    expect((await all.list({ namespace })).items).toEqual([updated]);
    await all.delete(named('a'));
    expect((await all.list({ namespace })).items).toEqual([]);
  });

  it('is refused in the same words', async () => {
    const all = maps();
    await all.create(toMap('a'));
    await expect(all.create(toMap('a'))).rejects.toMatchObject({
      code: 409,
      message: 'configmaps "a" already exists',
    });
    await expect(all.get(named('none'))).rejects.toMatchObject({ code: 404 });
    await expect(all.create(toMap('A_b'))).rejects.toMatchObject({ code: 422, reason: 'Invalid' });
    await expect(maps({ token: 'bob' }).get(named('a'))).rejects.toMatchObject({
      code: 403,
      message:
        'configmaps "a" is forbidden: User "bob" cannot get resource "configmaps" in API group "" in the namespace "default"',
    });
    await expect(maps({ token: 'nobody' }).get(named('a'))).rejects.toMatchObject({ code: 401 });
    await expect(maps({}).get(named('a'))).rejects.toMatchObject({
      code: 403,
      message: expect.stringContaining('User "system:anonymous"'),
    });
  });

  it('shows its certificate', async () => {
    await maps().create(toMap('a'));
    expect(await maps(certificate).get(named('a'))).toMatchObject({ metadata: { name: 'a' } });
  });

  it('is audited, managed and counted like any other', async () => {
    const before = await counted();
    const name = `told-${way.length}`;
    const made = await maps().create(toMap(name, { a: 'b' }));
    expect(made.metadata.managedFields).toMatchObject([{ manager: 'spec', operation: 'Update' }]);
    expect(await counted()).toBe(before + 1);
    await eventually(() => {
      const lines = readFileSync(join(folder, 'audit.log'), 'utf8').trim().split('\n');
      const told = lines.map((one) => JSON.parse(one) as Json);
      expect(told).toContainEqual(
        expect.objectContaining({
          verb: 'create',
          objectRef: expect.objectContaining({ name }),
          user: expect.objectContaining({ username: 'root' }),
          sourceIPs: ['127.0.0.1'],
          userAgent: 'spec/1',
          responseStatus: expect.objectContaining({ code: 201 }),
          requestObject: expect.objectContaining({ kind: 'ConfigMap' }),
          responseObject: expect.objectContaining({ kind: 'ConfigMap' }),
        }),
      );
    });
  });

  it('watches until it has enough', async () => {
    const all = maps();
    const stop = new AbortController();
    const seen: string[] = [];
    const follow = async (): Promise<void> => {
      const { resourceVersion = '' } = (await all.list({ namespace })).metadata;
      const events: AsyncIterable<WatchEvent<ConfigMap>> = all.watch(
        { namespace, resourceVersion },
        stop.signal,
      );
      for await (const event of events)
        if (event.type !== 'BOOKMARK') seen.push(`${event.type} ${event.object.metadata.name}`);
    };
    const ended = follow().then(
      () => 'the server ended it',
      (error: unknown) => (error as Error).message,
    );
    await eventually(async () => {
      await all
        .patch(named('a'), 'merge', { data: { n: String(seen.length) } })
        .catch(() => all.create(toMap('a')));
      expect(seen.length).toBeGreaterThan(1);
    });
    for (let i = 0; i < 300; i++) await all.create(toMap(`b${i}`, { text: 'x'.repeat(3000) }));
    await all.delete(named('b7'));
    await eventually(() => {
      expect(seen.at(-1)).toBe('DELETED b7');
      expect(seen.filter((one) => one.startsWith('ADDED b'))).toHaveLength(300);
    });
    stop.abort(new Error('enough'));
    expect(await ended).toBe('enough');
  });

  it('watches to the end of its time, and is refused what cannot be', async () => {
    const all = maps();
    const { signal } = new AbortController();
    const follow = async (resourceVersion: string): Promise<string> => {
      for await (const _ of all.watch({ namespace, resourceVersion, timeoutSeconds: 1 }, signal))
        void _;
      return 'over';
    };
    const { resourceVersion = '' } = (await all.list({ namespace })).metadata;
    expect(await follow(resourceVersion)).toBe('over');
    const query = { namespace, resourceVersion, fieldSelector: 'spec.none=1' };
    const refused = async (): Promise<void> => {
      for await (const _ of all.watch(query, signal)) void _;
    };
    await expect(refused()).rejects.toMatchObject({ code: 400 });
  });

  it('gives an answer up when its signal aborts', async () => {
    const stop = new AbortController();
    const asked = maps().get(named('a'), { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
  });

  it('asks more at a time than it may have under way', async () => {
    const all = maps();
    const names = Array.from({ length: 200 }, (_, i) => `many-${i}`);
    await Promise.all(names.map((name) => all.create(toMap(name))));
    expect((await all.list({ namespace })).items).toHaveLength(200);
  });

  it('has large bodies and what is no resource, too', async () => {
    const text = 'x'.repeat(100_000);
    const client = open({ token: 'root', insecureSkipTlsVerify: true });
    const made = await client.resource(resources.configmaps).create(toMap('large', { text }));
    expect(made.data).toEqual({ text });
    expect((await client.raw('/version')).code).toBe(200);
    expect((await client.raw('/api/v1/namespaces/%zz/configmaps')).code).toBe(400);
  });
});

describe('within the process', () => {
  it('nobody is believed who has not the key of a certificate', async () => {
    const { signal } = new AbortController();
    const headers = { accept: 'application/json' };
    const path = '/api/v1/namespaces/default/configmaps';
    const ask = (shown: { cert: string; key: string }) =>
      local
        .at(api.address)
        ?.ask({ method: 'GET', path, headers, signal, peer: { remoteAddress: '', ...shown } });
    expect((await ask(certificate))?.code).toBe(200);
    expect((await ask(strange))?.code).toBe(403);
  });

  it('a server that ends takes nothing more, and its watches end', async () => {
    const servers = new LocalServers();
    const other = await startReplica({ etcd: etcd.endpoints, keyspace: '/other/', local: servers });
    const server = servers.at(other.address);
    const client = connect({ server: other.address, local: servers });
    const follow = async (): Promise<string> => {
      const { signal } = new AbortController();
      const query = { resourceVersion: '0' };
      for await (const _ of client.resource(resources.namespaces).watch(query, signal)) void _;
      return 'over';
    };
    const followed = follow();
    expect((await client.resource(resources.namespaces).list()).items.length).toBeGreaterThan(0);
    await other.close();
    expect(await followed).toBe('over');
    expect(servers.at(other.address)).toBeUndefined();
    expect(server?.takes({ method: 'GET', path: '/api/v1/pods' })).toBe(false);
    await client.close();
  });
});
