import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EtcdClient, EtcdStorage, WriteLog } from '@orrery/storage';
import type { RevisionRecord, WriteOptions } from '@orrery/storage';
import { codeOf, podValue, useEtcd } from '@orrery/testkit';

const etcd = useEtcd();

let client: EtcdClient;
let storage: EtcdStorage;
let log: WriteLog;

beforeAll(() => {
  client = new EtcdClient({ endpoints: etcd.endpoints });
  storage = new EtcdStorage({ client, keyspace: etcd.keyspace });
  log = new WriteLog(client);
});

afterAll(() => {
  client.close();
});

const key = (name: string): string => `${etcd.keyspace}pods/ns1/${name}`;
const by = (user: string): WriteOptions => ({ cause: { user } });

async function all(records: AsyncIterable<RevisionRecord>): Promise<RevisionRecord[]> {
  const found: RevisionRecord[] = [];
  for await (const record of records) found.push(record);
  return found;
}

/** Writes so many revisions, some at a time. */
async function fill(count: number, options?: WriteOptions): Promise<void> {
  const run = `fill-${await storage.revision()}`;
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await storage.create(key(`${run}-${next++}`), podValue('f'), options);
  };
  await Promise.all(Array.from({ length: 64 }, worker));
}

describe(WriteLog.name, () => {
  it('walks a key back to its creation, with the states between and who wrote them', async () => {
    const first = await storage.create(key('a'), podValue('a', 'v1'), by('ann'));
    await fill(3, by('zoe'));
    const second = await storage.update(key('a'), first.revision, podValue('a', 'v2'));
    const third = await storage.update(key('a'), second.revision, podValue('a', 'v3'), by('bob'));
    const found = await all(log.back(key('a')));
    expect(found.map(({ revision }) => revision)).toEqual(
      [third, second, first].map(({ revision }) => revision),
    );
    expect(found.map(({ cause }) => cause?.user)).toEqual(['bob', undefined, 'ann']);
    const [newest, , oldest] = found.map(({ changes }) => changes[0]);
    expect(newest).toMatchObject({ type: 'MODIFIED', previousRevision: second.revision });
    expect(String(newest?.previous)).toContain('v2');
    expect(oldest).toMatchObject({ type: 'ADDED' });
    expect(oldest).not.toHaveProperty('previous');
  });

  it('tells of every revision between two, each with its one cause', async () => {
    const first = await storage.create(key('b'), podValue('b'), by('ann'));
    const gone = await storage.delete(key('b'), first.revision, by('bob'));
    const [made, deleted] = await all(
      log.between({ after: first.revision - 1, to: gone.revision }),
    );
    expect(made).toMatchObject({ revision: first.revision, cause: { user: 'ann', key: key('b') } });
    expect(made?.changes).toHaveLength(1);
    expect(deleted?.changes[0]).toMatchObject({ type: 'DELETED', key: key('b') });
    expect(String(deleted?.changes[0]?.previous)).toContain('"b"');
    expect(await all(log.between({ after: gone.revision, to: gone.revision }))).toEqual([]);
  });

  it('finds a deletion thousands of revisions back, and the last of several', async () => {
    const start = await storage.revision();
    for (let i = 0; i < 2; i++) {
      const { revision } = await storage.create(key('c'), podValue('c'), by('ann'));
      await storage.delete(key('c'), revision, by('bob'));
    }
    const deletedAt = await storage.revision();
    await fill(5500, by('zoe'));
    const to = await storage.revision();
    expect(await log.lastCauseOf(key('c'), { after: start, to })).toMatchObject({
      revision: deletedAt,
      user: 'bob',
    });
    const before = { after: start, to: deletedAt - 1 };
    expect(await log.lastCauseOf(key('c'), before)).toMatchObject({ user: 'ann' });
    expect(await log.lastCauseOf(key('c'), { after: deletedAt, to })).toBeUndefined();
    expect(await log.lastCauseOf(key('ever'), { after: start, to })).toBeUndefined();
  }, 30_000);

  it('gives what was written below a prefix since a revision, and all keys page by page', async () => {
    const prefix = `${etcd.keyspace}pods/ns2/`;
    const one = await storage.create(`${prefix}one`, podValue('one'));
    const two = await storage.create(`${prefix}two`, podValue('two'));
    const again = await storage.update(`${prefix}one`, one.revision, podValue('one', 'v2'));
    const changed = await log.changed(prefix, { after: one.revision, to: again.revision });
    expect(changed.map(({ revision }) => revision)).toEqual([two.revision, again.revision]);
    const keys = new Map<string, number>();
    for await (const page of log.keys(prefix, two.revision))
      for (const [each, revision] of page) keys.set(each, revision);
    expect([...keys]).toEqual([
      [`${prefix}one`, one.revision],
      [`${prefix}two`, two.revision],
    ]);
  });

  it('says that only the state is left where the rest is compacted away', async () => {
    const first = await storage.create(key('d'), podValue('d', 'v1'), by('ann'));
    const second = await storage.update(key('d'), first.revision, podValue('d', 'v2'), by('bob'));
    await storage.create(key('e'), podValue('e'), by('ann'));
    const last = await storage.update(key('d'), second.revision, podValue('d', 'v3'), by('bob'));
    await client.compact(second.revision);
    const cut = await all(log.back(key('d')));
    expect(cut.map(({ cause, isCompacted }) => isCompacted ?? cause?.user)).toEqual(['bob', 'bob']);
    expect(cut[1]?.changes[0]).not.toHaveProperty('previous');
    await client.compact(last.revision);
    const { revision } = await storage.create(key('g'), podValue('g'));
    await client.compact(revision);
    const [left, ...older] = await all(log.back(key('d')));
    expect(left).toMatchObject({ revision: last.revision, isCompacted: true });
    expect(older).toEqual([]);
    expect(await codeOf(all(log.between({ after: first.revision, to: revision })))).toBe(
      'compacted',
    );
  });
});
