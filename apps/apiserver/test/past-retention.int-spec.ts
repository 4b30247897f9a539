import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseFlags, silentLogger } from '@orrery/component';
import { eventually, startEtcd } from '@orrery/testkit';
import type { TestEtcd } from '@orrery/testkit';
import { etcdQuota } from '../src/config/etcd-quota.js';
import { ApiServerOptions } from '../src/config/options.js';
import type { Replica } from './replica.js';
import { metadataOf, namesOf, startReplica } from './replica.js';

const MAPS = '/api/v1/namespaces/default/configmaps';
const QUOTA = 64 * 1024 * 1024;
let etcd: TestEtcd;
let server: Replica;

async function create(name: string): Promise<number> {
  const body = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name } };
  const made = await server.post(MAPS, body);
  expect(made.status).toBe(201);
  return Number(metadataOf(made)['resourceVersion']);
}

const statusAt = async (revision: number): Promise<number> =>
  (await server.ask(`/at/${revision}${MAPS}`)).status;

beforeAll(async () => {
  etcd = await startEtcd({ extraArgs: [`--quota-backend-bytes=${QUOTA}`] });
  server = await startReplica({
    etcd: etcd.endpoints,
    keyspace: '/registry/',
    flags: ['--history-retention=2s', '--etcd-compaction-interval=200ms'],
  });
}, 40_000);

afterAll(async () => {
  await server.close();
  await etcd.stop();
});

describe('--history-retention', () => {
  it('lets go of what is older, and says what is left', async () => {
    const old = await create('old');
    await eventually(
      async () => {
        await create(`filler-${Math.random()}`);
        expect(await statusAt(old)).toBe(410);
      },
      { timeoutMs: 10_000 },
    );
    const { json } = await server.ask(`/at/${old}${MAPS}`);
    expect(json).toMatchObject({ reason: 'Expired', code: 410 });
    const [, oldest] = /the oldest revision left is (\d+)/.exec(String(json['message'])) ?? [];
    expect(Number(oldest)).toBeGreaterThan(old);
    const range = (await server.ask('/at/')).json as { oldest: { revision: number } };
    expect(range.oldest.revision).toBeGreaterThanOrEqual(Number(oldest));
  }, 15_000);

  it('keeps a pinned moment, says so in an event, and lets go when it is released', async () => {
    const pinned = await create('pinned');
    const answer = await server.ask(`/at/${pinned}?for=1h`, { method: 'POST' });
    expect(answer.status).toBe(201);
    const { id } = answer.json['pin'] as { id: string };
    await create('after');
    const held = async (): Promise<string> =>
      (await server.ask('/api/v1/namespaces/kube-system/events')).text;
    await eventually(async () => (await held()).includes('HistoryHeld'), { timeoutMs: 10_000 });
    expect(await held()).toContain(`/at/${pinned} of system:admin (pin ${id}, revision ${pinned})`);
    expect(namesOf(await server.ask(`/at/${pinned}${MAPS}`))).toContain('pinned');
    await server.ask(`/at/${pinned}?pin=${id}`, { method: 'DELETE' });
    await create('last');
    await eventually(async () => (await statusAt(pinned)) === 410, { timeoutMs: 10_000 });
  }, 25_000);

  it("asks etcd's metrics for its quota", async () => {
    const ask = (...flags: string[]): Promise<number> => {
      const argv = [`--etcd-servers=${etcd.endpoints.join()}`, ...flags];
      return etcdQuota(parseFlags(ApiServerOptions, argv, 'kube-apiserver'), silentLogger);
    };
    expect(await ask()).toBe(QUOTA);
    expect(await ask('--etcd-quota-backend-bytes=7')).toBe(7);
  });
});
