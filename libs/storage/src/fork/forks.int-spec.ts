import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  CachedStorage,
  EtcdClient,
  EtcdStorage,
  Forks,
  History,
  Pins,
  Retention,
  isStorageError,
  overlayKey,
} from '@orrery/storage';
import type { Entry, OpenFork } from '@orrery/storage';
import type { TestEtcd } from '@orrery/testkit';
import { WatchRecorder, codeOf, eventually, podValue, startEtcd } from '@orrery/testkit';

const CONSISTENT = { freshness: { kind: 'consistent' } } as const;
const EVENTS = '/registry/events/ns1/';
const PODS = '/registry/pods/ns1/';

/** A replica of the API server, as far as storage goes. */
class Replica {
  readonly client: EtcdClient;
  readonly plain: EtcdStorage;
  readonly cached: CachedStorage;
  readonly forks: Forks;
  private readonly stop = new AbortController();
  private readonly running: Promise<void>;

  constructor(endpoints: readonly string[]) {
    this.client = new EtcdClient({ endpoints });
    this.plain = new EtcdStorage({ client: this.client });
    this.cached = new CachedStorage({ storage: this.plain });
    this.forks = new Forks({ storage: this.plain, cached: this.cached });
    this.running = this.cached.start(this.stop.signal);
  }

  async fork(name: string, at?: number): Promise<OpenFork> {
    const how = { name, user: 'spec', issuerKey: '', ...(at === undefined ? {} : { at }) };
    await this.forks.create(how);
    return this.open(name);
  }

  async open(name: string): Promise<OpenFork> {
    const fork = await this.forks.open(name);
    if (!fork) throw new Error(`no fork ${name}`);
    return fork;
  }

  async close(): Promise<void> {
    this.stop.abort();
    await this.running;
    this.client.close();
  }
}

let etcd: TestEtcd;
let one: Replica;
let two: Replica;

beforeAll(async () => {
  etcd = await startEtcd();
  one = new Replica(etcd.endpoints);
  two = new Replica(etcd.endpoints);
  for (const name of ['a', 'b', 'c']) await one.cached.create(PODS + name, podValue(name));
}, 30_000);

afterAll(async () => {
  await one.close();
  await two.close();
  await etcd.stop();
});

const namesIn = async ({ storage }: Pick<OpenFork, 'storage'>, prefix = PODS): Promise<string> => {
  const { entries } = await storage.list(prefix, CONSISTENT);
  return entries.map(({ key }) => key.slice(prefix.length)).join(' ');
};

const rawOf = async (replica: Replica, key: string): Promise<Entry | undefined> =>
  new EtcdStorage({ client: replica.client, keyspace: '/' }).get(key, CONSISTENT);

async function stateOf({ storage }: OpenFork, key: string): Promise<Entry> {
  const entry = await storage.get(key, CONSISTENT);
  if (!entry) throw new Error(`${key} is not there`);
  return entry;
}

describe('tombstones', () => {
  it('keep what was deleted in a fork from coming back, in every replica and after a restart', async () => {
    const fork = await one.fork('tombs');
    await fork.storage.delete(`${PODS}b`, (await stateOf(fork, `${PODS}b`)).revision);
    expect(await namesIn(fork)).toBe('a c');
    expect((await rawOf(one, overlayKey('tombs', `${PODS}b`)))?.value.toString()).toMatch(
      /^over \d+ deleted\n$/,
    );
    expect(await namesIn(await two.open('tombs'))).toBe('a c');
    const restarted = new Replica(etcd.endpoints);
    expect(await namesIn(await restarted.open('tombs'))).toBe('a c');
    expect(await namesIn({ storage: (await restarted.open('tombs')).plain })).toBe('a c');
    await restarted.close();
    expect(await namesIn({ storage: one.cached })).toBe('a b c');
    await one.forks.remove('tombs');
  });

  it('are no states: nothing can be written over one but a creation', async () => {
    const fork = await one.fork('over');
    const base = await stateOf(fork, `${PODS}a`);
    const gone = await fork.storage.delete(base.key, base.revision);
    for (const expected of [base.revision, gone.revision])
      expect(await codeOf(fork.storage.update(base.key, expected, podValue('a')))).toBe('conflict');
    expect(await codeOf(fork.storage.delete(base.key, gone.revision))).toBe('conflict');
    const again = await fork.storage.create(base.key, podValue('a', 'redis'));
    expect(again.createRevision).toBe(again.revision);
    const later = await fork.storage.update(base.key, again.revision, podValue('a', 'v2'));
    expect(later.createRevision).toBe(again.revision);
    expect((await stateOf(await two.open('over'), base.key)).createRevision).toBe(again.revision);
    await one.forks.remove('over');
  });
});

describe('lifetimes', () => {
  it("end a fork's own keys, and never a key that the base has: it would come back", async () => {
    await one.cached.create(`${EVENTS}base`, podValue('base', 'v1'), { ttlSeconds: 3600 });
    const fork = await one.fork('lifetimes');
    const base = await stateOf(fork, `${EVENTS}base`);
    const short = { ttlSeconds: 1 };
    await fork.storage.update(base.key, base.revision, podValue('base', 'v2'), short);
    await fork.storage.create(`${EVENTS}own`, podValue('own'), short);
    await eventually(async () => (await namesIn(fork, EVENTS)) === 'base', { timeoutMs: 8000 });
    expect((await stateOf(fork, base.key)).value.toString()).toContain('v2');
    const { entries } = await one.plain.list('/forks/lifetimes/', CONSISTENT);
    expect(entries).toHaveLength(1);
    await one.forks.remove('lifetimes');
  }, 15_000);
});

describe('floors and pins', () => {
  const retention = (inUse: number): Retention =>
    new Retention({
      client: one.client,
      history: new History(one.plain),
      retentionMs: 0,
      intervalMs: 1000,
      space: () => Promise.resolve({ inUse, quota: 100 }),
      notify: () => undefined,
    });
  const write = async (count: number): Promise<number> => {
    let revision = 0;
    for (let i = 0; i < count; i++) {
      const { entries } = await one.cached.list('/registry/counters/', CONSISTENT);
      const [last] = entries;
      const cause = { cause: { user: 'spec' } };
      ({ revision } = last
        ? await one.cached.update(last.key, last.revision, podValue('n', `${i}`), cause)
        : await one.cached.create('/registry/counters/n', podValue('n'), cause));
    }
    return revision;
  };

  it('keep the base while the fork is there, and let it go behind it', async () => {
    const fork = await one.fork('pinned');
    await write(20);
    await retention(1).round();
    expect(await new History(one.plain).has(fork.fork.base)).toBe(true);
    expect(await namesIn({ storage: (await two.open('pinned')).plain })).toBe('a b c');
    await one.forks.remove('pinned');
    await write(3);
    await retention(1).round();
    expect(await new History(one.plain).has(fork.fork.base)).toBe(false);
  });

  it('refuse a base that is below the floor', async () => {
    const old = await write(1);
    await write(5);
    await retention(1).round();
    expect(await codeOf(one.forks.create({ name: 'late', user: '', issuerKey: '', at: old }))).toBe(
      'compacted',
    );
    expect(await one.forks.find('late')).toBeUndefined();
  });

  it('of an expired pin make a fork answer by name that it is gone', async () => {
    const fork = await one.fork('expired');
    await new Pins(one.client).release(`fork-${fork.fork.uid}`);
    await eventually(() => fork.gone.aborted);
    for (const replica of [one, two])
      await eventually(async () => (await codeOf(replica.forks.open('expired'))) === 'gone');
    await expect(one.forks.open('expired')).rejects.toThrow(/the fork "expired" has expired/);
    expect(await codeOf(fork.storage.create(`${PODS}z`, podValue('z')))).toBe('gone');
    expect(await one.forks.remove('expired')).toBe(true);
  });
});

describe('a fork', () => {
  const statesOf = (entries: readonly Entry[]): string[] =>
    entries.map(({ key, revision, createRevision }) => `${key}@${revision}/${createRevision}`);

  it('is exactly its base, whatever is written meanwhile', async () => {
    const prefix = '/registry/busy/';
    const stop = new AbortController();
    const write = async (worker: number): Promise<void> => {
      for (let i = 0; !stop.signal.aborted; i++) {
        const key = `${prefix}ns${i % 3}/w${worker}-${i % 20}`;
        const now = await one.plain.get(key, CONSISTENT);
        if (!now) await one.plain.create(key, podValue(`v${i}`));
        else if (i % 4 === 0) await one.plain.delete(key, now.revision);
        else await one.plain.update(key, now.revision, podValue(`v${i}`));
      }
    };
    const writing = [1, 2, 3, 4].map(write);
    const forks: OpenFork[] = [];
    for (let i = 0; i < 8; i++) forks.push(await (i % 2 ? one : two).fork(`busy-${i}`));
    const enough = (forks[7]?.fork.base ?? 0) + 100;
    await eventually(async () => (await one.plain.revision()) > enough, { timeoutMs: 15_000 });
    stop.abort();
    await Promise.all(writing);
    for (const { fork, storage } of forks) {
      const freshness = { kind: 'exact', revision: fork.base } as const;
      const want = statesOf((await one.plain.list(prefix, { freshness })).entries);
      expect(statesOf((await storage.list(prefix, CONSISTENT)).entries)).toEqual(want);
      for (const replica of [one, two]) {
        const far = await replica.open(fork.name);
        expect(statesOf((await far.storage.list(prefix, CONSISTENT)).entries)).toEqual(want);
      }
      await one.forks.remove(fork.name);
    }
  }, 20_000);

  it('outlives a loss of the cache: watches end, and everything is read anew', async () => {
    const fork = await one.fork('reloaded');
    const base = await stateOf(fork, `${PODS}a`);
    await fork.storage.delete(base.key, base.revision);
    const watch = new WatchRecorder(fork.storage, PODS, { after: fork.fork.created });
    await watch.until(1);
    one.cached.invalidate('spec');
    await eventually(() => watch.error !== undefined);
    expect(isStorageError(watch.error, 'compacted')).toBe(true);
    expect(await namesIn(fork)).not.toMatch(/^a/);
    const again = await fork.storage.create(base.key, podValue('a'));
    const next = new WatchRecorder(fork.storage, PODS, { after: again.revision - 1 });
    await next.until(1);
    expect(next.lines).toEqual([`ADDED a@${again.revision}`]);
    await next.stop();
    await one.forks.remove('reloaded');
  });

  it('is loaded from the history where it was not made, and from its overlay', async () => {
    const old = await one.plain.revision();
    await one.cached.create(`${PODS}later`, podValue('later'));
    const fork = await two.fork('old', old);
    expect(await namesIn(fork)).toBe('a b c');
    await fork.storage.create(`${PODS}mine`, podValue('mine'));
    expect(await namesIn(await one.open('old'))).toBe('a b c mine');
    await two.forks.remove('old');
  });

  it('leaves nothing behind, and writes to it are refused from then on', async () => {
    const fork = await one.fork('leaving');
    for (let i = 0; i < 20; i++) await fork.storage.create(`${PODS}n${i}`, podValue(`n${i}`));
    const far = await two.open('leaving');
    await one.forks.remove('leaving');
    expect((await one.plain.list('/forks/leaving/', CONSISTENT)).entries).toEqual([]);
    const pin = `/orrery/pins/fork-${fork.fork.uid}`;
    expect(await one.plain.get(pin, CONSISTENT)).toBeUndefined();
    for (const { storage } of [fork, far])
      expect(await codeOf(storage.create(`${PODS}x`, podValue('x')))).toBe('gone');
    await eventually(() => far.gone.aborted);
    const again = await two.fork('leaving');
    expect(await namesIn(again)).not.toContain('n1');
    await one.forks.remove('leaving');
  });

  it('is dropped when etcd begins a new epoch', async () => {
    const fork = await one.fork('restored');
    const root = new EtcdStorage({ client: one.client, keyspace: '/' });
    await root.create('/orrery/epoch', podValue('epoch'));
    await eventually(async () => (await one.forks.find('restored')) === undefined);
    await eventually(() => fork.gone.aborted);
    const pin = `/orrery/pins/fork-${fork.fork.uid}`;
    expect(await one.plain.get(pin, CONSISTENT)).toBeUndefined();
    const fresh = await one.fork('fresh');
    expect(await namesIn(fresh)).toContain('a b c');
    await one.forks.remove('fresh');
  });
});
