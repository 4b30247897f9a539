import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CauseReader, EtcdClient } from '@orrery/storage';
import type { Cause } from '@orrery/storage';
import { useEtcd } from '@orrery/testkit';
import { metadataOf, startReplica } from './replica.js';
import type { Answer, Replica } from './replica.js';

const etcd = useEtcd();
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
const folder = mkdtempSync(join(tmpdir(), 'causes-'));

let api: Replica;
let client: EtcdClient;

beforeAll(async () => {
  const tokens = join(folder, 'tokens.csv');
  writeFileSync(tokens, 'secret,alice,1,"developers"\n');
  const flags = [`--token-auth-file=${tokens}`];
  api = await startReplica({ etcd: etcd.endpoints, keyspace: etcd.keyspace, flags });
  client = new EtcdClient({ endpoints: etcd.endpoints });
}, 60_000);

afterAll(async () => {
  client.close();
  await api.close();
  rmSync(folder, { recursive: true });
});

const AS_ALICE = { authorization: 'Bearer secret', 'user-agent': 'kubectl/v1.36.4 (linux/amd64)' };

const write = (
  path: string,
  name: string,
  how: { method?: string; headers?: Record<string, string>; data?: string } = {},
): Promise<Answer> =>
  api.ask(path, {
    method: how.method ?? 'POST',
    headers: { ...AS_ALICE, ...how.headers },
    body: { metadata: { name }, ...(how.data ? { data: { value: how.data } } : {}) },
  });

const revisionOf = (answer: Answer): number => Number(metadataOf(answer)['resourceVersion']);

const causeOf = (answer: Answer): Promise<Cause | undefined> =>
  new CauseReader(client).of(revisionOf(answer));

describe('the cause of a write', () => {
  it('names user, client, manager, verb, key, request and time', async () => {
    const before = Date.now();
    const created = await write(`${CONFIG_MAPS}?fieldManager=spec`, 'named');
    const cause = await causeOf(created);
    expect(cause).toEqual({
      revision: revisionOf(created),
      time: expect.any(Number),
      key: `${etcd.keyspace}configmaps/default/named`,
      user: 'alice',
      agent: 'kubectl/v1.36.4 (linux/amd64)',
      manager: 'spec',
      verb: 'create',
      request: created.headers['audit-id'],
    });
    expect(cause?.time).toBeGreaterThanOrEqual(before);
    expect(cause?.time).toBeLessThanOrEqual(Date.now());
  });

  it('names what the client says it reacts to', async () => {
    const first = await write(CONFIG_MAPS, 'first');
    const header = `revision=${revisionOf(first)}; controller=copier; reason=one%20is%20missing`;
    const second = await write(CONFIG_MAPS, 'second', { headers: { 'orrery-cause': header } });
    expect(await causeOf(second)).toMatchObject({
      reactedTo: revisionOf(first),
      controller: 'copier',
      reason: 'one is missing',
    });
  });

  it.each<{ name: string; headers: Record<string, string>; warning: boolean }>([
    { name: 'a malformed header', headers: { 'orrery-cause': 'revision=x' }, warning: true },
    {
      name: 'a revision to come',
      headers: { 'orrery-cause': 'revision=99999999' },
      warning: false,
    },
    {
      name: 'the header of a stranger',
      headers: { authorization: '', 'orrery-cause': 'revision=1' },
      warning: false,
    },
  ])('does not believe $name', async ({ name, headers, warning }) => {
    const answer = await write(CONFIG_MAPS, name.replaceAll(' ', '-'), { headers });
    expect(answer.status).toBe(201);
    expect((await causeOf(answer))?.reactedTo).toBeUndefined();
    expect(answer.headers['warning'] !== undefined).toBe(warning);
  });

  it('is recorded with deletions and changes of status too', async () => {
    await write(CONFIG_MAPS, 'gone');
    await write(`${CONFIG_MAPS}/gone`, 'gone', { method: 'DELETE' });
    const newest = await new CauseReader(client).newest();
    expect(newest).toMatchObject({
      verb: 'delete',
      key: `${etcd.keyspace}configmaps/default/gone`,
    });
  });

  it('is left out of renewals of Leases', async () => {
    const lease = await write(LEASES, 'renewed');
    expect(await causeOf(lease)).toMatchObject({ verb: 'create' });
    const renewed = await api.ask(`${LEASES}/renewed`, {
      method: 'PATCH',
      headers: { ...AS_ALICE, 'content-type': 'application/merge-patch+json' },
      body: { spec: { holderIdentity: 'me' } },
    });
    expect(revisionOf(renewed)).toBeGreaterThan(revisionOf(lease));
    expect(await causeOf(renewed)).toBeUndefined();
  });

  it('names the request of a fork by what it asks inside', async () => {
    const fork = await api.ask('/forks', {
      method: 'POST',
      headers: AS_ALICE,
      body: { name: 'f' },
    });
    expect(fork.status).toBe(201);
    await write(`/forks/f${CONFIG_MAPS}`, 'forked');
    const newest = await new CauseReader(client).newest();
    expect(newest).toMatchObject({ verb: 'create', user: 'alice' });
    expect(newest?.key).toMatch(/^\/forks\/.*configmaps\/default\/forked$/);
    await api.ask('/forks/f', { method: 'DELETE', headers: AS_ALICE });
  });

  it('is nothing that a client can list', async () => {
    const { text } = await api.ask(CONFIG_MAPS, { headers: AS_ALICE });
    expect(text).not.toContain('alice');
  });
});
