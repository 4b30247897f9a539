import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EtcdAdmin, EtcdClient, EtcdStorage } from '@orrery/storage';
import { eventually, startEtcd, startTcpFaultProxy } from '@orrery/testkit';
import type { TcpFaultProxy, TestEtcd } from '@orrery/testkit';
import { namesOf, startReplica } from './replica.js';
import type { Answer, Replica } from './replica.js';

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';

describe('an etcd whose quota is used up', () => {
  let etcd: TestEtcd;
  let api: Replica;

  beforeAll(async () => {
    etcd = await startEtcd({ extraArgs: ['--quota-backend-bytes=12582912'] });
    api = await startReplica({ etcd: etcd.endpoints, keyspace: '/full/' });
  }, 60_000);

  afterAll(async () => {
    await api.close();
    await etcd.stop();
  });

  const post = (name: string): Promise<Answer> =>
    api.post(CONFIG_MAPS, { metadata: { name }, data: { fill: 'x'.repeat(500_000) } });

  it('answers 500 naming the alarm and the remedy, goes on reading and deleting, and recovers by the remedy', async () => {
    let refused: Answer | undefined;
    const stored: string[] = [];
    for (let i = 0; i < 60 && !refused; i++) {
      const answer = await post(`fill-${i}`);
      if (answer.status === 201) stored.push(`fill-${i}`);
      else refused = answer;
    }
    expect(refused?.json).toMatchObject({ code: 500, reason: 'InternalError' });
    for (const part of ['NOSPACE', 'orrery etcd compact', 'defrag', 'orrery etcd alarms disarm'])
      expect(refused?.json['message']).toContain(part);
    expect(namesOf(await api.ask(CONFIG_MAPS))).toEqual(expect.arrayContaining(stored));
    for (const name of stored)
      expect((await api.ask(`${CONFIG_MAPS}/${name}`, { method: 'DELETE' })).status).toBe(200);
    const client = new EtcdClient({ endpoints: etcd.endpoints });
    const admin = new EtcdAdmin(client);
    await client.compact(await new EtcdStorage({ client }).revision());
    await admin.defragment();
    expect((await admin.alarms()).map(({ alarm }) => alarm)).toEqual(['NOSPACE']);
    expect((await post('still-refused')).status).toBe(500);
    await admin.disarm();
    expect((await post('room-again')).status).toBe(201);
    client.close();
  }, 30_000);
});

describe('an etcd that has lost its quorum', () => {
  let etcd: TestEtcd;
  let api: Replica;

  beforeAll(async () => {
    etcd = await startEtcd({ members: 3 });
    api = await startReplica({ etcd: etcd.endpoints, keyspace: '/quorum/' });
  }, 60_000);

  afterAll(async () => {
    await api.close();
    await etcd.stop();
  });

  it('answers 503 with Retry-After to reads and writes, and works on when the quorum is back', async () => {
    await api.post(CONFIG_MAPS, { metadata: { name: 'before' } });
    const [, second, third] = etcd.members;
    await Promise.all([second?.kill(), third?.kill()]);
    await eventually(async () => (await api.ask(`${CONFIG_MAPS}/before`)).status === 503, {
      timeoutMs: 20_000,
    });
    const read = await api.ask(`${CONFIG_MAPS}/before`);
    const write = await api.post(CONFIG_MAPS, { metadata: { name: 'without-quorum' } });
    for (const answer of [read, write]) {
      expect(answer.json).toMatchObject({ code: 503, reason: 'ServiceUnavailable' });
      expect(answer.json['message']).toMatch(/nothing was written.*(no leader|reached)/);
      expect(answer.headers['retry-after']).toBe('1');
    }
    expect((await api.ask(`${CONFIG_MAPS}/before?resourceVersion=0`)).status).toBe(200);
    await second?.start();
    await eventually(
      async () => (await api.post(CONFIG_MAPS, { metadata: { name: 'after' } })).status === 201,
      { timeoutMs: 20_000 },
    );
    expect(namesOf(await api.ask(CONFIG_MAPS))).toEqual(
      expect.not.arrayContaining(['without-quorum']),
    );
  }, 60_000);
});

describe('a single etcd behind a bad network', () => {
  let etcd: TestEtcd;
  let proxy: TcpFaultProxy;
  let api: Replica;

  beforeAll(async () => {
    etcd = await startEtcd();
    proxy = await startTcpFaultProxy(etcd.member.endpoint);
    api = await startReplica({ etcd: [proxy.url], keyspace: '/faults/' });
  }, 60_000);

  afterAll(async () => {
    await api.close();
    await proxy.close();
    await etcd.stop();
  });

  it('says that the outcome of a write is unknown when the answer was lost, and asks for no retry', async () => {
    const read = `${CONFIG_MAPS}/lost-answer`;
    proxy.muteAnswers = true;
    const answering = api.post(CONFIG_MAPS, { metadata: { name: 'lost-answer' } });
    const client = new EtcdClient({ endpoints: etcd.endpoints });
    await eventually(async () => {
      const { kvs } = await client
        .member()
        .unary.kv.range({ key: Buffer.from('/faults/configmaps/default/lost-answer') });
      return kvs.length === 1;
    });
    client.close();
    proxy.cut();
    const answer = await answering;
    proxy.muteAnswers = false;
    proxy.cut();
    expect(answer.json).toMatchObject({
      code: 504,
      reason: 'Timeout',
      details: { causes: [{ reason: 'OutcomeUnknown' }] },
    });
    expect(answer.json['message']).toContain('outcome is unknown');
    expect(answer.headers['retry-after']).toBeUndefined();
    await eventually(async () => (await api.ask(read)).status === 200, { timeoutMs: 10_000 });
  }, 30_000);

  it('answers 500 naming the key of a value that is not valid, and serves all others', async () => {
    await api.post(CONFIG_MAPS, { metadata: { name: 'good' } });
    const key = '/faults/configmaps/default/garbage';
    const client = new EtcdClient({ endpoints: etcd.endpoints });
    await client.member().unary.library.put(key).value('{"metadata":{"na');
    for (const path of [`${CONFIG_MAPS}/garbage`, CONFIG_MAPS]) {
      const answer = await api.ask(path);
      expect(answer.json).toMatchObject({ code: 500, reason: 'InternalError' });
      expect(answer.json['message']).toContain(key);
    }
    expect((await api.ask(`${CONFIG_MAPS}/good`)).status).toBe(200);
    expect((await api.ask('/api/v1/namespaces')).status).toBe(200);
    await client.member().unary.library.delete().key(key);
    client.close();
    expect(namesOf(await api.ask(CONFIG_MAPS))).toContain('good');
  }, 20_000);
});
