import { describe, expect, it } from '@jest/globals';

import { SystemClock } from '@orrery/component';
import type { IEvent } from 'etcd3';

import { StoredEntry } from '../etcd3/stored-entry.js';
import type { WatchItem } from '../storage.js';
import { CacheState } from './cache-state.js';
import { EventWindow } from './event-window.js';
import { KeyIndex } from './key-index.js';
import { RevisionBarrier } from './revision-barrier.js';
import { WatchQueue } from './watch-queue.js';

const entry = (key: string, revision = 1): StoredEntry =>
  new StoredEntry({
    key,
    revision,
    createRevision: revision,
    value: Buffer.from('{"metadata":{}}'),
  });

const item = (revision: number): WatchItem => ({
  kind: 'event',
  event: { type: 'ADDED', entry: entry('/a/b', revision), revision },
});

describe('KeyIndex', () => {
  it.each([
    { name: 'namespaces', keys: ['/r/p/b/1', '/r/p/a/2', '/r/p/a-1/3', '/r/p/a/1', '/r/p/a10/1'] },
    { name: 'cluster scope', keys: ['/r/p/b', '/r/p/c', '/r/p/a'] },
    {
      name: 'folders within folders',
      keys: ['/r/p/b', '/r/p/b/x', '/r/p/a', '/r/p/c', '/r/p/b/a/z'],
    },
  ])('lists in key order: $name', ({ keys }) => {
    const index = new KeyIndex();
    for (const key of keys) index.set(entry(key));
    const sorted = keys.toSorted();
    expect(index.page('/r/p/').entries.map(({ key }) => key)).toEqual(sorted);
    const paged: string[] = [];
    for (let after = ''; ; after = paged.at(-1) ?? '') {
      const { entries, remaining } = index.page('/r/p/', after, 2);
      paged.push(...entries.map(({ key }) => key));
      expect(remaining).toBe(keys.length - paged.length);
      if (remaining === 0) break;
    }
    expect(paged).toEqual(sorted);
  });

  it('replaces and forgets', () => {
    const index = new KeyIndex();
    index.set(entry('/r/p/a', 1));
    expect(index.set(entry('/r/p/a', 2))?.revision).toBe(1);
    expect(index.page('/r/p/').entries.map(({ revision }) => revision)).toEqual([2]);
    expect(index.delete('/r/p/a')?.revision).toBe(2);
    expect(index.delete('/r/p/a')).toBeUndefined();
    expect(index.page('/r/p/')).toEqual({ entries: [], remaining: 0 });
  });

  it('shares with a clone what neither has changed since', () => {
    const index = new KeyIndex();
    for (const key of ['/r/p/a/1', '/r/p/a/2', '/r/p/b/1']) index.set(entry(key, 1));
    const clone = index.clone();
    const second = clone.clone();
    index.set(entry('/r/p/a/1', 2));
    index.delete('/r/p/b/1');
    clone.set(entry('/r/p/c/1', 3));
    clone.delete('/r/p/a/2');
    const states = (of: KeyIndex): string[] =>
      of.page('/r/p/').entries.map(({ key, revision }) => `${key.slice(5)}@${revision}`);
    expect(states(index)).toEqual(['a/1@2', 'a/2@1']);
    expect(states(clone)).toEqual(['a/1@1', 'b/1@1', 'c/1@3']);
    expect(states(second)).toEqual(['a/1@1', 'a/2@1', 'b/1@1']);
    expect(index.get('/r/p/b/1')).toBeUndefined();
    expect(second.get('/r/p/b/1')?.revision).toBe(1);
  });
});

describe('EventWindow', () => {
  it('keeps the latest by count and knows how far back it reaches', () => {
    const window = new EventWindow({ events: 3, bytes: 1e6, stale: 1 }, 10);
    for (let revision = 11; revision <= 15; revision++) {
      window.push({ type: 'ADDED', entry: entry('/a/b', revision), revision });
    }
    expect(window.floor).toBe(12);
    expect(window.since(12).map(({ revision }) => revision)).toEqual([13, 14, 15]);
    expect(window.since(14).map(({ revision }) => revision)).toEqual([15]);
    expect(window.since(99)).toEqual([]);
  });

  it('keeps the latest by bytes', () => {
    const window = new EventWindow({ events: 1000, bytes: 40, stale: 1 }, 0);
    for (let revision = 1; revision <= 5000; revision++) {
      window.push({ type: 'ADDED', entry: entry('/a/b', revision), revision });
    }
    expect(window.floor).toBe(4998);
    expect(window.since(4998)).toHaveLength(2);
  });

  it('lets go of what is too old but for a few', () => {
    const window = new EventWindow({ events: 1000, bytes: 1e6, stale: 3 }, 0);
    for (let revision = 1; revision <= 10; revision++) {
      window.push({ type: 'ADDED', entry: entry('/a/b', revision), revision });
    }
    window.forget(5);
    expect(window.floor).toBe(5);
    expect(window.since(5).map(({ revision }) => revision)).toEqual([6, 7, 8, 9, 10]);
    window.forget(10);
    expect(window.floor).toBe(7);
    expect(window.since(7).map(({ revision }) => revision)).toEqual([8, 9, 10]);
  });
});

describe('CacheState', () => {
  it('keeps events for 75 seconds, and the last hundred for ever', () => {
    let now = 0;
    const clock = Object.assign(new SystemClock(), { monotonic: () => now });
    const limits = { events: 10_000, bytes: 1e6, stale: 100 };
    const state = new CacheState('/r/', limits, clock);
    state.loaded(1);
    let revision = 1;
    const change = (count: number): void => {
      const events = Array.from({ length: count }, (): IEvent => {
        revision++;
        const kv = {
          key: Buffer.from('/r/pods/a'),
          value: Buffer.from('{"metadata":{}}'),
          mod_revision: String(revision),
          create_revision: '1',
        };
        return { type: 'Put', kv } as unknown as IEvent;
      });
      state.apply({ events, revision });
    };
    const kept = (): number => state.partition('/r/pods/').since('/r/pods/', floor())?.length ?? 0;
    const floor = (): number => state.partition('/r/pods/').window.floor;
    change(500);
    now += 74_000;
    change(0);
    expect(kept()).toBe(500);
    now += 30_000;
    change(20);
    expect(kept()).toBe(100);
    expect(floor()).toBe(421);
  });
});

describe('WatchQueue', () => {
  it('cuts a consumer that falls too far behind, and never a single large batch', async () => {
    const queue = new WatchQueue(0, 2);
    queue.push([item(1), item(2), item(3)]);
    expect((await queue.next()).value).toHaveLength(3);
    queue.push([item(4), item(5)]);
    queue.push([item(6)]);
    await expect(queue.next()).rejects.toMatchObject({ code: 'slow' });
  });

  it('holds back what lies at or below its start', async () => {
    const queue = new WatchQueue(2, 10);
    queue.push([item(1), item(2)]);
    queue.push([item(2), item(3)]);
    expect((await queue.next()).value).toEqual([item(3)]);
  });
});

describe('RevisionBarrier', () => {
  it('never joins a request that is already under way', async () => {
    const asked: ((revision: number) => void)[] = [];
    const barrier = new RevisionBarrier(() => new Promise((resolve) => asked.push(resolve)));
    const first = barrier.next();
    const same = barrier.next();
    await Promise.resolve();
    expect(asked).toHaveLength(1);
    const second = barrier.next();
    await Promise.resolve();
    expect(asked).toHaveLength(2);
    const third = [barrier.next(), barrier.next()];
    await Promise.resolve();
    expect(asked).toHaveLength(2);
    asked[0]?.(5);
    expect(await Promise.all([first, same])).toEqual([5, 5]);
    asked[1]?.(6);
    expect(await second).toBe(6);
    await Promise.resolve();
    expect(asked).toHaveLength(3);
    asked[2]?.(7);
    expect(await Promise.all(third)).toEqual([7, 7]);
  });
});
