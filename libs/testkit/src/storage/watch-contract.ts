import { isStorageError } from '@orrery/storage';

import { eventually } from '../eventually.js';
import { jestGlobals } from '../jest-globals.js';
import { CONSISTENT, WatchRecorder, podValue } from './contract-context.js';
import type { ContractRun } from './contract-context.js';

/** watch: order, completeness, transitions, resumption, progress. */
export function watchContract(run: ContractRun): void {
  const { describe, it, expect } = jestGlobals();
  describe('watch()', () => {
    it('tells creation, change and deletion with their states', () =>
      run(async ({ storage, keyspace }) => {
        const after = await storage.revision();
        const watch = new WatchRecorder(storage, `${keyspace}pods/`, { after });
        const key = `${keyspace}pods/ns1/a`;
        const created = await storage.create(key, podValue('a', 'v1'));
        const updated = await storage.update(key, created.revision, podValue('a', 'v2'));
        const deleted = await storage.delete(key, updated.revision);
        await watch.until(3);
        expect(watch.lines).toEqual([
          `ADDED a@${created.revision}`,
          `MODIFIED a@${updated.revision}`,
          `DELETED a@${deleted.revision}`,
        ]);
        const [added, modified, removed] = watch.events;
        expect(added?.previous).toBeUndefined();
        expect(modified?.previous?.value.toString()).toContain('v1');
        expect(modified?.previous?.revision).toBe(created.revision);
        expect(removed?.entry.value.toString()).toContain('v2');
        expect(removed?.entry.object.metadata.resourceVersion).toBe(String(deleted.revision));
        expect(removed?.previous?.revision).toBe(updated.revision);
        await watch.stop();
      }));

    it('starts behind a revision of the past and misses nothing since', () =>
      run(async ({ storage, keyspace }) => {
        const first = await storage.create(`${keyspace}pods/ns1/p0`, podValue('p0'));
        const want: string[] = [];
        for (let i = 1; i <= 50; i++) {
          const { revision } = await storage.create(`${keyspace}pods/ns1/p${i}`, podValue(`p${i}`));
          want.push(`ADDED p${i}@${revision}`);
        }
        const watch = new WatchRecorder(storage, `${keyspace}pods/`, { after: first.revision });
        await watch.until(50);
        expect(watch.lines).toEqual(want);
        await watch.stop();
      }));

    it(
      'delivers each change once and in order while many write and watchers come and go',
      () =>
        run(async ({ storage, keyspace }) => {
          const after = await storage.revision();
          const prefix = `${keyspace}pods/`;
          const early = new WatchRecorder(storage, prefix, { after });
          const revisions: number[] = [];
          const write = async (i: number): Promise<void> => {
            const key = `${prefix}ns${i % 3}/p${i}`;
            const created = await storage.create(key, podValue(`p${i}`));
            revisions.push(created.revision);
            const updated = await storage.update(key, created.revision, podValue(`p${i}`, 'v2'));
            revisions.push(updated.revision);
            if (i % 2 === 0) revisions.push((await storage.delete(key, updated.revision)).revision);
          };
          const half = Array.from({ length: 60 }, (_, i) => write(i));
          await Promise.all(half.slice(0, 20));
          const late = new WatchRecorder(storage, prefix, { after });
          await Promise.all(half);
          revisions.sort((a, b) => a - b);
          for (const watch of [early, late]) {
            await watch.until(revisions.length);
            expect(watch.events.map(({ revision }) => revision)).toEqual(revisions);
            await watch.stop();
          }
        }),
      20_000,
    );

    it('resumes behind the last event without a gap or a repetition', () =>
      run(async ({ storage, keyspace }) => {
        const prefix = `${keyspace}pods/`;
        const after = await storage.revision();
        const first = new WatchRecorder(storage, prefix, { after });
        for (let i = 0; i < 10; i++) await storage.create(`${prefix}ns1/p${i}`, podValue(`p${i}`));
        await first.until(10);
        await first.stop();
        for (let i = 10; i < 20; i++) await storage.create(`${prefix}ns1/p${i}`, podValue(`p${i}`));
        const second = new WatchRecorder(storage, prefix, {
          after: first.events.at(-1)?.revision ?? 0,
        });
        await second.until(10);
        await second.stop();
        const seen = [...first.events, ...second.events].map(
          ({ entry }) => entry.object.metadata.name,
        );
        expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => `p${i}`));
      }));

    it('continues a list where it ended', () =>
      run(async ({ storage, keyspace }) => {
        const prefix = `${keyspace}pods/`;
        const writing = Array.from({ length: 80 }, (_, i) =>
          storage.create(`${prefix}ns1/p${i}`, podValue(`p${i}`)),
        );
        const list = await storage.list(prefix, CONSISTENT);
        const watch = new WatchRecorder(storage, prefix, { after: list.revision });
        await Promise.all(writing);
        await watch.until(80 - list.entries.length);
        const all = [...list.entries, ...watch.events.map(({ entry }) => entry)];
        expect(new Set(all.map(({ key }) => key)).size).toBe(80);
        expect(all).toHaveLength(80);
        await watch.stop();
      }));

    it('keeps prefixes apart that begin alike', () =>
      run(async ({ storage, keyspace }) => {
        const after = await storage.revision();
        const watch = new WatchRecorder(storage, `${keyspace}pods/ns1/`, { after });
        for (const key of [
          'pods/ns10/x',
          'pods/ns1-x/x',
          'pods/ns1/a',
          'podsx/ns1/x',
          'pods/ns1/b',
        ]) {
          await storage.create(keyspace + key, podValue(key));
        }
        await watch.until(2);
        expect(watch.events.map(({ entry }) => entry.key)).toEqual([
          `${keyspace}pods/ns1/a`,
          `${keyspace}pods/ns1/b`,
        ]);
        await watch.stop();
      }));

    it('waits for a revision of the future', () =>
      run(async ({ storage, keyspace }) => {
        const prefix = `${keyspace}pods/`;
        const first = await storage.create(`${prefix}ns1/a`, podValue('a'));
        const watch = new WatchRecorder(storage, prefix, { after: first.revision + 1 });
        const skipped = await storage.create(`${prefix}ns1/b`, podValue('b'));
        await storage.create(`${prefix}ns1/c`, podValue('c'));
        await storage.create(`${prefix}ns1/d`, podValue('d'));
        await watch.until(1);
        expect(watch.events[0]?.revision).toBeGreaterThan(first.revision + 1);
        if (skipped.revision === first.revision + 1) await watch.until(2);
        expect(watch.events.some(({ revision }) => revision <= first.revision + 1)).toBe(false);
        await watch.stop();
      }));

    it('either refuses a start that was compacted away or delivers all of it', () =>
      run(async ({ storage, keyspace, compact }) => {
        const key = `${keyspace}pods/ns1/a`;
        const first = await storage.create(key, podValue('a', 'v1'));
        const second = await storage.update(key, first.revision, podValue('a', 'v2'));
        const third = await storage.update(key, second.revision, podValue('a', 'v3'));
        await compact(third.revision);
        const watch = new WatchRecorder(storage, `${keyspace}pods/`, { after: first.revision - 1 });
        await watch.until(3);
        if (watch.error === undefined) {
          expect(watch.lines).toEqual([
            `ADDED a@${first.revision}`,
            `MODIFIED a@${second.revision}`,
            `MODIFIED a@${third.revision}`,
          ]);
        } else {
          expect(isStorageError(watch.error, 'compacted')).toBe(true);
          expect(watch.events).toEqual([]);
        }
        await watch.stop();
      }));

    it(
      'marks progress: marks never go back, and nothing at or below one follows it',
      () =>
        run(async ({ storage, keyspace }) => {
          const prefix = `${keyspace}pods/`;
          const after = await storage.revision();
          const watch = new WatchRecorder(storage, prefix, { after, progressMs: 100 });
          for (let i = 0; i < 5; i++) await storage.create(`${prefix}ns1/p${i}`, podValue(`p${i}`));
          const { revision } = await storage.create(`${keyspace}nodes/elsewhere`, podValue('n'));
          await eventually(() => watch.marks.some((mark) => mark >= revision), { timeoutMs: 8000 });
          await storage.create(`${prefix}ns1/last`, podValue('last'));
          await watch.until(6);
          let mark = 0;
          for (const item of watch.items) {
            if (item.kind === 'progress') {
              expect(item.revision).toBeGreaterThanOrEqual(mark);
              mark = item.revision;
            } else expect(item.event.revision).toBeGreaterThan(mark);
          }
          await watch.stop();
        }),
      15_000,
    );

    it('ends without an error when it is aborted, at once or later', () =>
      run(async ({ storage, keyspace }) => {
        const after = await storage.revision();
        const idle = new WatchRecorder(storage, `${keyspace}pods/`, { after });
        await idle.stop();
        const busy = new WatchRecorder(storage, `${keyspace}pods/`, { after });
        await storage.create(`${keyspace}pods/ns1/a`, podValue('a'));
        await busy.until(1);
        await busy.stop();
        expect([idle.error, busy.error]).toEqual([undefined, undefined]);
      }));
  });
}
