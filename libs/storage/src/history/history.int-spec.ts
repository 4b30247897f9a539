import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SteppedClock } from '@orrery/component';
import { EtcdClient, EtcdStorage, History, PastStorage } from '@orrery/storage';
import type { Storage } from '@orrery/storage';
import type { StorageUnderTest } from '@orrery/testkit';
import { WatchRecorder, codeOf, podValue, storageContract, useEtcd } from '@orrery/testkit';

const etcd = useEtcd();
let subjects = 0;

/** The past of this very moment: what it answers must be what the live storage answers. */
function underTest(): Promise<StorageUnderTest> {
  const client = new EtcdClient({ endpoints: etcd.endpoints });
  const keyspace = `${etcd.keyspace}${subjects++}/`;
  const live = new EtcdStorage({ client, keyspace });
  const history = new History(live);
  const now = async (): Promise<PastStorage> => history.at(await history.current());
  const storage: Storage = {
    create: (key, value, options) => live.create(key, value, options),
    update: (key, expected, value, options) => live.update(key, expected, value, options),
    delete: (key, expected, options) => live.delete(key, expected, options),
    get: async (key, options) => (await now()).get(key, options),
    list: async (prefix, options) => (await now()).list(prefix, options),
    watch: (prefix, options) => history.at(1).watch(prefix, options),
    revision: async () => (await now()).revision(),
  };
  return Promise.resolve({
    storage,
    keyspace,
    compact: (revision) => client.compact(revision),
    stop: () => {
      client.close();
      return Promise.resolve();
    },
  });
}

storageContract(PastStorage.name, underTest, ['read', 'watch']);

/** An hour in brief: long beside what a test takes. */
const HOUR = 60_000;
const cause = { cause: { user: 'spec' } };
const clock = new SteppedClock();
let client: EtcdClient;
let live: EtcdStorage;
let history: History;
const key = (name: string): string => `${live.keyspace}pods/ns1/${name}`;
const lease = (seconds: number): Buffer =>
  Buffer.from(
    JSON.stringify({
      kind: 'Lease',
      metadata: { name: 'n' },
      spec: { renewTime: new Date(clock.now() + seconds * 1000).toISOString() },
    }),
  );

beforeAll(() => {
  client = new EtcdClient({ endpoints: etcd.endpoints, clock });
  live = new EtcdStorage({ client, keyspace: `${etcd.keyspace}h/` });
  history = new History(live);
});

afterAll(() => {
  client.close();
});

describe(PastStorage.name, () => {
  it('is its revision for ever, and refuses what lies behind it', async () => {
    const first = await live.create(key('a'), podValue('a', 'v1'));
    const second = await live.update(key('a'), first.revision, podValue('a', 'v2'));
    const past = history.at(first.revision);
    for (const freshness of [
      { kind: 'consistent' },
      { kind: 'any' },
      { kind: 'notOlderThan', revision: first.revision },
    ] as const) {
      expect((await past.get(key('a'), { freshness }))?.revision).toBe(first.revision);
      const list = await past.list(`${live.keyspace}pods/`, { freshness });
      expect(list.revision).toBe(first.revision);
      expect(list.entries.map(({ revision }) => revision)).toEqual([first.revision]);
    }
    const behind = { freshness: { kind: 'exact', revision: second.revision } } as const;
    expect(await codeOf(past.get(key('a'), behind))).toBe('futureRevision');
    expect(await past.revision()).toBe(first.revision);
  });

  it('cannot be written', async () => {
    const past = history.at(await history.current());
    expect(await codeOf(past.create(key('x')))).toBe('internal');
    expect(await codeOf(past.update(key('x')))).toBe('internal');
    expect(await codeOf(past.delete(key('x')))).toBe('internal');
  });

  it('replays up to a revision, each event as long after the one before as it was', async () => {
    const start = await history.current();
    await live.create(key('r1'), podValue('r1'), cause);
    await clock.step(20_000, 0);
    await live.create(key('r2'), podValue('r2'), cause);
    await clock.step(20_000, 0);
    const last = await live.create(key('r3'), podValue('r3'), cause);
    await live.create(key('r4'), podValue('r4'), cause);
    const begun = performance.now();
    const past = history.at(start, { speed: 100, until: last.revision });
    const watch = new WatchRecorder(past, `${live.keyspace}pods/`, { after: start });
    const arrivals: number[] = [];
    for (let i = 1; i <= 3; i++) {
      await watch.until(i);
      arrivals.push(performance.now() - begun);
    }
    await watch.stop();
    expect(watch.error).toBeUndefined();
    expect(watch.events.map(({ entry }) => entry.object.metadata.name)).toEqual(['r1', 'r2', 'r3']);
    // 40 seconds, a hundred times as fast.
    expect(arrivals[2]).toBeGreaterThan(300);
    expect(arrivals[2]).toBeLessThan(3000);
  });
});

describe('the time of revisions', () => {
  it('finds the state of a time by the recorded causes', async () => {
    const before = await live.create(key('t1'), podValue('t1'), cause);
    await clock.step(HOUR, 0);
    const after = await live.create(key('t2'), podValue('t2'), cause);
    const now = clock.now();
    expect(await history.revisionAt(now)).toBeGreaterThanOrEqual(after.revision);
    expect(await history.revisionAt(now - HOUR / 2)).toBe(before.revision);
    expect(await history.revisionAt(now - 400 * HOUR)).toBeUndefined();
    const time = (await history.timeOf(after.revision))?.time ?? 0;
    expect(Math.abs(time - now)).toBeLessThan(10_000);
  });

  it('goes by the renewals of leases where no cause was recorded', async () => {
    const renewed = `${live.keyspace}leases/kube-node-lease/n`;
    await clock.step(HOUR, 0);
    const first = await live.create(renewed, lease(0));
    const between = await live.create(key('u1'), podValue('u1'));
    await clock.step(HOUR, 0);
    const second = await live.update(renewed, first.revision, lease(0));
    expect(await history.revisionAt(clock.now() - HOUR / 2)).toBe(between.revision);
    expect((await history.timeOf(second.revision))?.revision).toBe(second.revision);
  });
});
