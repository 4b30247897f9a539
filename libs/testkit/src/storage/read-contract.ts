import type { ListResult, Storage } from '@orrery/storage';

import { eventually } from '../eventually.js';
import { jestGlobals } from '../jest-globals.js';
import {
  ANY,
  CONSISTENT,
  codeOf,
  errorOf,
  exactly,
  notOlderThan,
  podValue,
} from './contract-context.js';
import type { ContractRun } from './contract-context.js';

const FAR_FUTURE = 1_000_000_000;

const names = ({ entries }: ListResult): readonly (string | undefined)[] =>
  entries.map(({ object }) => object.metadata.name);

async function createPods(storage: Storage, folder: string, count: number): Promise<void> {
  const create = (i: number): Promise<unknown> => {
    const name = `p${String(i).padStart(4, '0')}`;
    return storage.create(`${folder}${name}`, podValue(name));
  };
  await Promise.all(Array.from({ length: count }, (_, i) => create(i)));
}

/** get and list: freshness, snapshots, pages, prefixes. */
export function readContract(run: ContractRun): void {
  const { describe, it, expect } = jestGlobals();
  describe('get()', () => {
    it('answers nothing for a key that never was', () =>
      run(async ({ storage, keyspace }) => {
        expect(await storage.get(`${keyspace}pods/ns1/a`, CONSISTENT)).toBeUndefined();
        expect(await storage.get(`${keyspace}pods/ns1/a`, ANY)).toBeUndefined();
      }));

    it('reads a write at once when it must be consistent, many times over', () =>
      run(async ({ storage, keyspace }) => {
        const key = `${keyspace}pods/ns1/a`;
        let { revision } = await storage.create(key, podValue('a', 'v0'));
        for (let i = 1; i <= 30; i++) {
          ({ revision } = await storage.update(key, revision, podValue('a', `v${i}`)));
          expect((await storage.get(key, CONSISTENT))?.revision).toBe(revision);
        }
      }));

    it(
      'is not older than asked, and refuses a revision of the future',
      () =>
        run(async ({ storage, keyspace }) => {
          const key = `${keyspace}pods/ns1/a`;
          const { revision } = await storage.create(key, podValue('a'));
          expect((await storage.get(key, notOlderThan(revision)))?.revision).toBe(revision);
          const error = await errorOf(storage.get(key, notOlderThan(revision + FAR_FUTURE)));
          expect(error?.code).toBe('futureRevision');
          expect(error?.detail.revision).toBeGreaterThanOrEqual(revision);
          expect(error?.detail.revision).toBeLessThan(revision + FAR_FUTURE);
        }),
      10_000,
    );

    it('sees "any" state in the end', () =>
      run(async ({ storage, keyspace }) => {
        const key = `${keyspace}pods/ns1/a`;
        await storage.create(key, podValue('a'));
        await eventually(async () => (await storage.get(key, ANY)) !== undefined);
      }));

    it('reads the state of an exact revision', () =>
      run(async ({ storage, keyspace }) => {
        const key = `${keyspace}pods/ns1/a`;
        const first = await storage.create(key, podValue('a', 'v1'));
        const second = await storage.update(key, first.revision, podValue('a', 'v2'));
        const deleted = await storage.delete(key, second.revision);
        expect((await storage.get(key, exactly(first.revision)))?.value.toString()).toContain('v1');
        expect((await storage.get(key, exactly(second.revision)))?.value.toString()).toContain(
          'v2',
        );
        expect(await storage.get(key, exactly(deleted.revision))).toBeUndefined();
      }));
  });

  describe('list()', () => {
    it('answers an empty list with a revision', () =>
      run(async ({ storage, keyspace }) => {
        const list = await storage.list(`${keyspace}pods/`, CONSISTENT);
        expect(list.entries).toEqual([]);
        expect(list.remaining).toBe(0);
        expect(list.revision).toBeGreaterThan(0);
      }));

    it('is in key order, whatever the order of the writes', () =>
      run(async ({ storage, keyspace }) => {
        for (const key of ['ns2/a', 'ns1/c', 'ns1-x/q', 'ns1/a', 'ns10/z', 'ns1/b']) {
          await storage.create(`${keyspace}pods/${key}`, podValue(key));
        }
        const list = await storage.list(`${keyspace}pods/`, CONSISTENT);
        expect(names(list)).toEqual(['ns1-x/q', 'ns1/a', 'ns1/b', 'ns1/c', 'ns10/z', 'ns2/a']);
      }));

    it('keeps prefixes apart that begin alike', () =>
      run(async ({ storage, keyspace }) => {
        for (const key of ['pods/ns1/a', 'pods/ns10/b', 'podsecurity/ns1/c', 'pods/ns/d']) {
          await storage.create(keyspace + key, podValue(key));
        }
        expect(names(await storage.list(`${keyspace}pods/ns1/`, CONSISTENT))).toEqual([
          'pods/ns1/a',
        ]);
        expect(names(await storage.list(`${keyspace}pods/ns/`, CONSISTENT))).toEqual(['pods/ns/d']);
        expect((await storage.list(`${keyspace}pods/`, CONSISTENT)).entries).toHaveLength(3);
        expect((await storage.list(keyspace, CONSISTENT)).entries).toHaveLength(4);
      }));

    it('contains what was acknowledged before it was asked', () =>
      run(async ({ storage, keyspace }) => {
        for (let i = 1; i <= 20; i++) {
          const { revision } = await storage.create(`${keyspace}pods/ns1/p${i}`, podValue(`p${i}`));
          const list = await storage.list(`${keyspace}pods/`, CONSISTENT);
          expect(list.entries).toHaveLength(i);
          expect(list.revision).toBeGreaterThanOrEqual(revision);
        }
      }));

    it('gives all pages of one revision, though the keys change meanwhile', () =>
      run(async ({ storage, keyspace }) => {
        const folder = `${keyspace}pods/ns1/`;
        await createPods(storage, folder, 25);
        const first = await storage.list(folder, { ...CONSISTENT, limit: 10 });
        expect(first.entries).toHaveLength(10);
        expect(first.remaining).toBe(15);
        const gone = first.entries[0];
        if (gone) await storage.delete(gone.key, gone.revision);
        await storage.create(`${folder}p0010-new`, podValue('new'));
        const seen = [...first.entries];
        let page = first;
        while (page.remaining > 0) {
          const after = page.entries.at(-1)?.key ?? '';
          page = await storage.list(folder, { ...exactly(first.revision), limit: 10, after });
          expect(page.revision).toBe(first.revision);
          seen.push(...page.entries);
        }
        expect(seen.map(({ object }) => object.metadata.name)).toEqual(
          Array.from({ length: 25 }, (_, i) => `p${String(i).padStart(4, '0')}`),
        );
      }));

    it('pages without a revision too: each page is of its own moment', () =>
      run(async ({ storage, keyspace }) => {
        const folder = `${keyspace}pods/ns1/`;
        await createPods(storage, folder, 7);
        const page = await storage.list(folder, {
          ...CONSISTENT,
          limit: 3,
          after: `${folder}p0002`,
        });
        expect(names(page)).toEqual(['p0003', 'p0004', 'p0005']);
        expect(page.remaining).toBe(1);
      }));

    it(
      'lists more than one message holds',
      () =>
        run(async ({ storage, keyspace }) => {
          const big = 'x'.repeat(300_000);
          for (let i = 0; i < 24; i++) {
            await storage.create(`${keyspace}secrets/ns1/s${i}`, podValue(`s${i}`, big));
          }
          await createPods(storage, `${keyspace}secrets/ns2/`, 700);
          const list = await storage.list(`${keyspace}secrets/`, CONSISTENT);
          expect(list.entries).toHaveLength(724);
          expect(new Set(list.entries.map(({ key }) => key)).size).toBe(724);
        }),
      30_000,
    );

    it('is the snapshot of an exact revision', () =>
      run(async ({ storage, keyspace }) => {
        const folder = `${keyspace}pods/ns1/`;
        const a = await storage.create(`${folder}a`, podValue('a'));
        const b = await storage.create(`${folder}b`, podValue('b'));
        await storage.delete(`${folder}a`, a.revision);
        expect(names(await storage.list(folder, exactly(a.revision)))).toEqual(['a']);
        expect(names(await storage.list(folder, exactly(b.revision)))).toEqual(['a', 'b']);
        expect(names(await storage.list(folder, CONSISTENT))).toEqual(['b']);
        const elsewhere = await storage.create(`${keyspace}nodes/n`, podValue('n'));
        const same = await storage.list(folder, exactly(elsewhere.revision));
        expect(names(same)).toEqual(['b']);
        expect(same.revision).toBe(elsewhere.revision);
      }));

    it(
      'refuses a revision of the future, exact or as a lower bound',
      () =>
        run(async ({ storage, keyspace }) => {
          const { revision } = await storage.create(`${keyspace}pods/ns1/a`, podValue('a'));
          for (const options of [
            exactly(revision + FAR_FUTURE),
            notOlderThan(revision + FAR_FUTURE),
          ]) {
            const error = await errorOf(storage.list(`${keyspace}pods/`, options));
            expect(error?.code).toBe('futureRevision');
            expect(error?.detail.revision).toBeGreaterThanOrEqual(revision);
          }
        }),
      10_000,
    );

    it('refuses a revision that was compacted away', () =>
      run(async ({ storage, keyspace, compact }) => {
        const key = `${keyspace}pods/ns1/a`;
        const first = await storage.create(key, podValue('a', 'v1'));
        const second = await storage.update(key, first.revision, podValue('a', 'v2'));
        await compact(second.revision);
        expect(await codeOf(storage.list(`${keyspace}pods/`, exactly(first.revision)))).toBe(
          'compacted',
        );
        expect(await codeOf(storage.get(key, exactly(first.revision)))).toBe('compacted');
        expect(names(await storage.list(`${keyspace}pods/`, CONSISTENT))).toEqual(['a']);
      }));
  });
}
