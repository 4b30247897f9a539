import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SystemClock } from '@orrery/component';
import { EtcdClient } from '@orrery/storage';
import { eventually, startEtcd } from '@orrery/testkit';
import type { TestEtcd } from '@orrery/testkit';
import { metadataOf, namesOf, startReplica } from './replica.js';
import type { Json, Replica } from './replica.js';

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';

let etcd: TestEtcd;
let api: Replica;

const versionOf = (answer: { readonly json: Json }): number =>
  Number(metadataOf(answer)['resourceVersion']);

async function compact(revision: number): Promise<void> {
  const client = new EtcdClient({ endpoints: etcd.endpoints, clock: new SystemClock() });
  await client.compact(revision);
  client.close();
}

beforeAll(async () => {
  etcd = await startEtcd();
  api = await startReplica({ etcd: etcd.endpoints, keyspace: '/history/' });
  for (const name of ['a', 'b', 'c', 'd']) await api.post(CONFIG_MAPS, { metadata: { name } });
}, 60_000);

afterAll(async () => {
  await api.close();
  await etcd.stop();
});

describe('a list in pages whose history is compacted', () => {
  it('expires with a token by which it goes on inconsistently', async () => {
    const first = await api.ask(`${CONFIG_MAPS}?limit=2`);
    const later = await api.post(CONFIG_MAPS, { metadata: { name: 'e' } });
    await compact(versionOf(later));
    const token = String(metadataOf(first)['continue']);
    const second = await api.ask(`${CONFIG_MAPS}?limit=2&continue=${token}`);
    expect(second.json).toMatchObject({ kind: 'Status', code: 410, reason: 'Expired' });
    expect(second.json['message']).toContain('The provided continue parameter is too old');
    const again = String(metadataOf(second)['continue']);
    expect(JSON.parse(Buffer.from(again, 'base64url').toString('utf8'))).toMatchObject({ rv: -1 });
    const third = await api.ask(`${CONFIG_MAPS}?limit=9&continue=${again}`);
    expect(namesOf(third)).toEqual(['c', 'd', 'e']);
    expect(versionOf(third)).toBeGreaterThanOrEqual(versionOf(later));
  });

  it('refuses an exact revision that is gone', async () => {
    const query = 'resourceVersion=2&resourceVersionMatch=Exact';
    const answer = await api.ask(`${CONFIG_MAPS}?${query}`);
    expect(answer.json).toMatchObject({
      code: 410,
      reason: 'Expired',
      message: 'The resourceVersion for the provided list is too old.',
    });
  });

  it('tells a watch from a revision that is gone by an ERROR event', async () => {
    const restarted = await startReplica({ etcd: etcd.endpoints, keyspace: '/history/' });
    const watch = await restarted.watch(`${CONFIG_MAPS}?watch=1&resourceVersion=2`);
    expect(watch.response.statusCode).toBe(200);
    await watch.ended;
    expect(watch.events()).toMatchObject([
      { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } },
    ]);
    expect(watch.events()[0]?.object['message']).toMatch(/^too old resource version: 2 \(\d+\)$/);
    await restarted.close();
  });
});

describe('a resourceVersion of the future', () => {
  it('is waited for, then refused so that clients know why', async () => {
    const query = 'resourceVersion=1000000&resourceVersionMatch=NotOlderThan';
    const { status, headers, json } = await api.ask(`${CONFIG_MAPS}?${query}`);
    expect([status, headers['retry-after']]).toEqual([504, '1']);
    expect(json).toMatchObject({
      reason: 'Timeout',
      details: {
        retryAfterSeconds: 1,
        causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      },
    });
    expect(json['message']).toMatch(/^Timeout: Too large resource version: 1000000, current: \d+$/);
  });

  it('is refused at once where it must be exact', async () => {
    const query = 'resourceVersion=1000000&resourceVersionMatch=Exact';
    const { json } = await api.ask(`${CONFIG_MAPS}?${query}`);
    expect(json['message']).toMatch(/^Timeout: Too large resource version: 1000000, current: \d+$/);
  });
});

describe('metadata.name as a field selector', () => {
  it('lists the one object of that name at a revision', async () => {
    const one = await api.ask(`${CONFIG_MAPS}?fieldSelector=metadata.name%3Db`);
    expect(namesOf(one)).toEqual(['b']);
    expect(versionOf(one)).toBeGreaterThan(0);
    const none = await api.ask(`${CONFIG_MAPS}?fieldSelector=metadata.name%3Dbb`);
    expect(none.json).toMatchObject({ kind: 'ConfigMapList', items: [] });
    const label = `${CONFIG_MAPS}?fieldSelector=metadata.name%3Db&labelSelector=x%3Dy`;
    expect(namesOf(await api.ask(label))).toEqual([]);
  });

  it('watches that object alone', async () => {
    const watch = await api.watch(`${CONFIG_MAPS}?watch=1&fieldSelector=metadata.name%3Db`);
    await api.patch(`${CONFIG_MAPS}/a`, 'merge-patch+json', { data: { x: '1' } });
    await api.post(CONFIG_MAPS, { metadata: { name: 'ba' } });
    await api.patch(`${CONFIG_MAPS}/b`, 'merge-patch+json', { data: { x: '1' } });
    await eventually(() => {
      expect(
        watch.events().map(({ type, object }) => [type, metadataOf({ json: object })['name']]),
      ).toEqual([
        ['ADDED', 'b'],
        ['MODIFIED', 'b'],
      ]);
    });
    watch.response.destroy();
  });
});

describe('a request that etcd does not answer', () => {
  const TEXT =
    'Timeout: request did not complete within requested timeout - context deadline exceeded';

  it('ends with 504 when its time is over, and a write says that its outcome is unknown', async () => {
    etcd.member.pause();
    try {
      const read = api.ask(`${CONFIG_MAPS}/a?timeout=300ms`);
      const write = api.ask(`${CONFIG_MAPS}?timeout=300ms`, {
        method: 'POST',
        body: { metadata: { name: 'unknown' } },
      });
      expect((await read).json).toMatchObject({ code: 504, reason: 'Timeout', message: TEXT });
      expect((await write).json).toMatchObject({
        code: 504,
        reason: 'Timeout',
        message: TEXT,
        details: { causes: [{ message: 'the write may or may not have been applied' }] },
      });
    } finally {
      etcd.member.resume();
    }
  });

  it('is refused when its timeout is no duration', async () => {
    const { json } = await api.ask(`${CONFIG_MAPS}?timeout=soon`);
    expect(json).toMatchObject({
      code: 400,
      message: 'invalid timeout specified in the request URL - time: invalid duration "soon"',
    });
  });
});
