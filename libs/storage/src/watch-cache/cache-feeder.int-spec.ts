import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CachedStorage, EtcdClient, EtcdStorage } from '@orrery/storage';
import type { Entry } from '@orrery/storage';
import { podValue, startEtcd } from '@orrery/testkit';
import type { TestEtcd } from '@orrery/testkit';
import { feed } from '../etcd3/etcd-feed.js';
import type { FeedBatch } from '../etcd3/etcd-feed.js';
import { ALL_KEYS } from '../etcd3/key-range.js';

const PREFIX = '/registry/pods/busy/';
const ROUNDS = 12;

describe('a watch that is opened before what it follows is read', () => {
  let etcd: TestEtcd;
  let client: EtcdClient;
  let storage: EtcdStorage;

  beforeAll(async () => {
    etcd = await startEtcd();
    client = new EtcdClient({ endpoints: etcd.endpoints });
    storage = new EtcdStorage({ client });
  }, 30_000);

  afterAll(async () => {
    client.close();
    await etcd.stop();
  });

  /** Makes keys, changes some and removes others until the signal aborts. */
  async function keepWriting(signal: AbortSignal): Promise<void> {
    for (let i = 0; !signal.aborted; i++) {
      const made = await storage.create(`${PREFIX}p${i}`, podValue(`p${i}`));
      if (i % 3 === 1) await storage.update(made.key, made.revision, podValue('changed'));
      if (i % 3 === 2) await storage.delete(made.key, made.revision);
    }
  }

  const shown = (entries: readonly Entry[]): string[] =>
    entries.map(({ key, revision, value }) => `${key} ${revision} ${value.toString()}`);

  it('tells the revision of its begin, then all that comes after', async () => {
    const controller = new AbortController();
    const batches = feed(client, { range: ALL_KEYS, previous: false, signal: controller.signal });
    const first = await batches.next();
    const begin = (first.value as FeedBatch).revision;
    expect(first.value).toEqual({ events: [], revision: await storage.revision() });
    const made = await storage.create(`${PREFIX}first`, podValue('first'));
    const second = await batches.next();
    const { events, revision } = second.value as FeedBatch;
    expect([events.map(({ kv }) => kv.key.toString()), revision]).toEqual([
      [made.key],
      made.revision,
    ]);
    expect(revision).toBeGreaterThan(begin);
    controller.abort();
    await batches.return(undefined);
  });

  it('loses nothing that is written while a cache loads', async () => {
    const writers = new AbortController();
    const writing = keepWriting(writers.signal);
    for (let round = 0; round < ROUNDS; round++) {
      const stopping = new AbortController();
      const cache = new CachedStorage({ storage });
      const stopped = cache.start(stopping.signal);
      const { entries, revision } = await cache.list(PREFIX, { freshness: { kind: 'consistent' } });
      const exact = { freshness: { kind: 'exact', revision } } as const;
      expect(shown(entries)).toEqual(shown((await storage.list(PREFIX, exact)).entries));
      stopping.abort();
      await stopped;
    }
    writers.abort();
    await writing;
  }, 60_000);
});
