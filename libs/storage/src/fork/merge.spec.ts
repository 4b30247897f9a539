import { describe, expect, it } from '@jest/globals';

import { StoredEntry } from '../etcd3/stored-entry.js';
import { KeyIndex } from '../watch-cache/key-index.js';
import { mergePage } from './merge.js';
import type { OverlayItem } from './merge.js';

const entry = (key: string, revision: number): StoredEntry =>
  new StoredEntry({ key, revision, createRevision: 1, value: Buffer.from('{"metadata":{}}') });

const changed = (key: string): OverlayItem => ({
  key,
  state: { kind: 'object', entry: entry(key, 9), over: 1 },
});
const added = (key: string): OverlayItem => ({
  key,
  state: { kind: 'object', entry: entry(key, 9) },
});
const deleted = (key: string): OverlayItem => ({
  key,
  state: { kind: 'deleted', revision: 9, over: 1 },
});

interface Case {
  readonly name: string;
  readonly base: readonly string[];
  readonly overlay: readonly OverlayItem[];
}

const CASES: readonly Case[] = [
  { name: 'nothing at all', base: [], overlay: [] },
  { name: 'a base alone', base: ['a', 'b', 'c', 'd'], overlay: [] },
  { name: 'an overlay alone', base: [], overlay: [added('a'), added('c'), added('e')] },
  { name: 'additions between', base: ['b', 'd'], overlay: [added('a'), added('c'), added('e')] },
  { name: 'changes', base: ['a', 'b', 'c'], overlay: [changed('a'), changed('c')] },
  { name: 'deletions first', base: ['a', 'b', 'c'], overlay: [deleted('a'), deleted('b')] },
  { name: 'deletions last', base: ['a', 'b', 'c'], overlay: [deleted('b'), deleted('c')] },
  { name: 'all deleted', base: ['a', 'b'], overlay: [deleted('a'), deleted('b')] },
  {
    name: 'everything mixed',
    base: ['b', 'c', 'd', 'f', 'g', 'i'],
    overlay: [
      added('a'),
      deleted('b'),
      changed('d'),
      added('e'),
      deleted('g'),
      deleted('i'),
      added('k'),
    ],
  },
];

const PREFIX = '/r/p/n/';

describe('mergePage()', () => {
  it.each(CASES)('pages through $name as through one list', async ({ base, overlay }) => {
    const index = new KeyIndex();
    for (const key of base) index.set(entry(PREFIX + key, 1));
    const items = overlay.map(({ key, state }) =>
      state.kind === 'object'
        ? { key: PREFIX + key, state: { ...state, entry: entry(PREFIX + key, 9) } }
        : { key: PREFIX + key, state },
    );
    const hidden = new Set(items.filter(({ state }) => state.over).map(({ key }) => key));
    const expected = [
      ...base.map((key) => PREFIX + key).filter((key) => !hidden.has(key)),
      ...items.filter(({ state }) => state.kind === 'object').map(({ key }) => key),
    ].sort();
    for (const limit of [1, 2, 3, 99]) {
      const seen: string[] = [];
      for (;;) {
        const after = seen.at(-1);
        const page = await mergePage({
          overlay: items.filter(({ key }) => after === undefined || key > after),
          base: (from, most) => Promise.resolve(index.page(PREFIX, from, most)),
          ...(after === undefined ? {} : { after }),
          limit,
        });
        expect(page.entries.length).toBeLessThanOrEqual(limit);
        seen.push(...page.entries.map(({ key }) => key));
        expect(page.remaining).toBe(expected.length - seen.length);
        if (page.remaining === 0) break;
      }
      expect(seen).toEqual(expected);
    }
  });
});
