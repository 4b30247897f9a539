import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CachedStorage, EtcdClient, EtcdStorage } from '@orrery/storage';
import { WatchRecorder, codeOf, podValue, startEtcd } from '@orrery/testkit';
import type { TestEtcd } from '@orrery/testkit';

import { EtcdReader } from './etcd-reader.js';

const CONSISTENT = { freshness: { kind: 'consistent' } } as const;
const KEYS = 100_000;
/** etcd's most operations of one transaction. */
const TXN_OPS = 128;
const MIB = 1024 * 1024;

describe('large ranges and values', () => {
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

  async function putMany(prefix: string): Promise<void> {
    const { kv } = client.member().unary;
    let next = 0;
    const putSome = async (): Promise<void> => {
      while (next < KEYS) {
        const first = next;
        next += TXN_OPS;
        const success = Array.from({ length: Math.min(TXN_OPS, KEYS - first) }, (_, i) => {
          const name = `p${String(first + i).padStart(6, '0')}`;
          return { request_put: { key: Buffer.from(prefix + name), value: podValue(name) } };
        });
        await kv.txn({ compare: [], success, failure: [] });
      }
    };
    await Promise.all(Array.from({ length: 8 }, putSome));
  }

  it('reads a range of 100,000 keys in pages of one revision, by etcd and into the cache', async () => {
    const prefix = '/registry/pods/many/';
    await putMany(prefix);
    let keys = 0;
    let pages = 0;
    const revisions = new Set<number>();
    for await (const page of new EtcdReader(client).pages(prefix, CONSISTENT)) {
      const bytes = page.entries.reduce((sum, { value }) => sum + value.length, 0);
      expect(bytes).toBeLessThan(4 * MIB);
      keys += page.entries.length;
      pages++;
      revisions.add(page.revision);
    }
    expect([keys, revisions.size]).toEqual([KEYS, 1]);
    expect(pages).toBeGreaterThanOrEqual(KEYS / 5000);
    const cache = new CachedStorage({ storage });
    const controller = new AbortController();
    const stopped = cache.start(controller.signal);
    await cache.ready(30_000);
    const page = await cache.list(prefix, { ...CONSISTENT, limit: 500 });
    expect([page.entries.length, page.remaining]).toEqual([500, KEYS - 500]);
    controller.abort();
    await stopped;
  }, 60_000);

  it('takes values of up to 1.5 MiB, and messages of many times 4 MiB, in reads and watches', async () => {
    const prefix = '/registry/secrets/big/';
    const after = await storage.revision();
    const big = 'x'.repeat(1.5 * MIB - 1024);
    for (let i = 0; i < 8; i++) await storage.create(`${prefix}s${i}`, podValue(`s${i}`, big));
    const list = await storage.list(prefix, CONSISTENT);
    expect(list.entries.map(({ value }) => value.length > 1.49 * MIB)).toEqual(
      Array.from({ length: 8 }, () => true),
    );
    const watch = new WatchRecorder(storage, prefix, { after });
    await watch.until(8);
    expect(watch.events.map(({ entry }) => entry.value.length > 1.49 * MIB)).toEqual(
      Array.from({ length: 8 }, () => true),
    );
    await watch.stop();
    const tooBig = storage.create(`${prefix}more`, podValue('more', 'x'.repeat(1.5 * MIB)));
    expect(await codeOf(tooBig)).toBe('tooLarge');
  }, 30_000);
});
