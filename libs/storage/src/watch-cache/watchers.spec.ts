import { describe, expect, it } from '@jest/globals';
import { StoredEntry } from '../etcd3/stored-entry.js';
import type { WatchItem } from '../storage.js';
import { Partition } from './partition.js';
import { WatchQueue } from './watch-queue.js';

const put = (partition: Partition, revision: number): void => {
  const value = Buffer.from('{"metadata":{}}');
  const key = `/r/p/a/${revision}`;
  partition.put(new StoredEntry({ key, revision, createRevision: revision, value }));
  partition.flush();
};
const revisionsOf = (items: readonly WatchItem[] = []): number[] =>
  items.map((item) => (item.kind === 'event' ? item.event.revision : item.revision));

describe('paced watchers', () => {
  const limits = { events: 1000, bytes: 1e6, stale: 100 };

  it('get every event once and in order, those of a prefix the same arrays', async () => {
    const partition = new Partition(limits, 0);
    const [one, two] = [new WatchQueue(0, 1000), new WatchQueue(0, 1000)];
    partition.subscribe('/r/p/', one, true);
    partition.subscribe('/r/p/', two, true);
    const seen: number[] = [];
    for (let revision = 1; revision <= 50; revision++) put(partition, revision);
    const same: boolean[] = [];
    while (seen.length < 50) {
      const [mine, other] = [await one.next(), await two.next()];
      same.push(other.value === mine.value);
      seen.push(...revisionsOf(mine.value));
    }
    expect(seen).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    // The first is made of those that came at once.
    expect(same.length).toBeLessThan(10);
    expect(same.slice(1)).not.toContain(false);
  });

  it('that join a busy resource get nothing twice', async () => {
    const partition = new Partition(limits, 0);
    const early = new WatchQueue(0, 1000);
    partition.subscribe('/r/p/', early, true);
    for (let revision = 1; revision <= 20; revision++) put(partition, revision);
    const late = new WatchQueue(0, 1000);
    late.push(partition.since('/r/p/', 0) ?? []);
    partition.subscribe('/r/p/', late, true);
    put(partition, 21);
    partition.catchUp();
    for (const queue of [early, late])
      expect(revisionsOf((await queue.next()).value)).toEqual(
        Array.from({ length: 21 }, (_, i) => i + 1),
      );
  });

  it('do not make others wait', async () => {
    const partition = new Partition(limits, 0);
    const queue = new WatchQueue(0, 1000);
    partition.subscribe('/r/p/', queue);
    for (let revision = 1; revision <= 20; revision++) put(partition, revision);
    expect(revisionsOf((await queue.next()).value)).toHaveLength(20);
  });
});
