import { jestGlobals } from '../jest-globals.js';
import { ANY, CONSISTENT, WatchRecorder, codeOf, errorOf, podValue } from './contract-context.js';
import type { ContractRun } from './contract-context.js';
import { eventually } from '../eventually.js';

/** create, update, delete, guards and lifetimes. */
export function writeContract(run: ContractRun): void {
  const { describe, it, expect } = jestGlobals();
  describe('create()', () => {
    it('stores the value and answers it with the revision of the write', () =>
      run(async ({ storage, keyspace }) => {
        const key = `${keyspace}pods/ns1/a`;
        const created = await storage.create(key, podValue('a'));
        const found = await storage.get(key, CONSISTENT);
        expect(created.createRevision).toBe(created.revision);
        expect(found?.value.toString()).toBe(podValue('a').toString());
        expect(found?.revision).toBe(created.revision);
        expect(found?.createRevision).toBe(created.revision);
        expect(JSON.parse(String(found?.bytes))).toEqual(found?.object);
        expect(found?.object.metadata.resourceVersion).toBe(String(created.revision));
        expect(created.bytes.toString()).toBe(found?.bytes.toString());
      }));

    it('refuses a key that is there and leaves it and the revision alone', () =>
      run(async ({ storage, keyspace }) => {
        const key = `${keyspace}pods/ns1/a`;
        const created = await storage.create(key, podValue('a'));
        const before = await storage.revision();
        const error = await errorOf(storage.create(key, podValue('other')));
        expect(error?.code).toBe('exists');
        expect(error?.detail.currentRevision).toBe(created.revision);
        expect(await storage.revision()).toBe(before);
        expect((await storage.get(key, CONSISTENT))?.object.metadata.name).toBe('a');
      }));

    it('lets exactly one of many concurrent creations win', () =>
      run(async ({ storage, keyspace }) => {
        const key = `${keyspace}pods/ns1/a`;
        const codes = await Promise.all(
          Array.from({ length: 12 }, (_, i) => codeOf(storage.create(key, podValue(`a${i}`)))),
        );
        expect(codes.filter((code) => code === 'resolved')).toHaveLength(1);
        expect(codes.filter((code) => code === 'exists')).toHaveLength(11);
      }));
  });

  describe('update()', () => {
    it('replaces the expected state and keeps the creation revision', () =>
      run(async ({ storage, keyspace }) => {
        const key = `${keyspace}pods/ns1/a`;
        const created = await storage.create(key, podValue('a'));
        const updated = await storage.update(key, created.revision, podValue('a', 'redis'));
        expect(updated.revision).toBeGreaterThan(created.revision);
        expect(updated.createRevision).toBe(created.revision);
        const found = await storage.get(key, CONSISTENT);
        expect(found?.revision).toBe(updated.revision);
        expect(found?.value.toString()).toContain('redis');
      }));

    it('refuses a state that is not the expected one and tells the current one', () =>
      run(async ({ storage, keyspace }) => {
        const key = `${keyspace}pods/ns1/a`;
        const first = await storage.create(key, podValue('a'));
        const second = await storage.update(key, first.revision, podValue('a', 'redis'));
        const error = await errorOf(storage.update(key, first.revision, podValue('a', 'late')));
        expect(error?.code).toBe('conflict');
        expect(error?.detail.currentRevision).toBe(second.revision);
        expect(error?.detail.current?.value.toString()).toContain('redis');
        expect((await storage.get(key, CONSISTENT))?.value.toString()).toContain('redis');
      }));

    it('refuses a key that is gone', () =>
      run(async ({ storage, keyspace }) => {
        const key = `${keyspace}pods/ns1/a`;
        const { revision } = await storage.create(key, podValue('a'));
        await storage.delete(key, revision);
        const error = await errorOf(storage.update(key, revision, podValue('a')));
        expect(error?.code).toBe('conflict');
        expect(error?.detail.currentRevision).toBeUndefined();
        expect(await storage.get(key, CONSISTENT)).toBeUndefined();
      }));

    it('never creates: revision 0 is not a state', () =>
      run(async ({ storage, keyspace }) => {
        const key = `${keyspace}pods/ns1/a`;
        expect(await codeOf(storage.update(key, 0, podValue('a')))).toBe('internal');
        expect(await storage.get(key, CONSISTENT)).toBeUndefined();
      }));

    it('counts correctly when many writers retry on conflict', () =>
      run(async ({ storage, keyspace }) => {
        const key = `${keyspace}counters/n`;
        const value = (n: number): Buffer => Buffer.from(`{"metadata":{"name":"n"},"n":${n}}`);
        const read = (from: Buffer): number => (JSON.parse(from.toString()) as { n: number }).n;
        await storage.create(key, value(0));
        const increment = async (): Promise<void> => {
          for (;;) {
            const now = await storage.get(key, CONSISTENT);
            if (!now) throw new Error('the counter is gone');
            const code = await codeOf(
              storage.update(key, now.revision, value(read(now.value) + 1)),
            );
            if (code === 'resolved') return;
            expect(code).toBe('conflict');
          }
        };
        await Promise.all(Array.from({ length: 20 }, increment));
        const end = await storage.get(key, CONSISTENT);
        expect(end && read(end.value)).toBe(20);
      }));
  });

  describe('delete()', () => {
    it('answers the last state with the revision of the deletion', () =>
      run(async ({ storage, keyspace }) => {
        const key = `${keyspace}pods/ns1/a`;
        const created = await storage.create(key, podValue('a'));
        const deleted = await storage.delete(key, created.revision);
        expect(deleted.revision).toBeGreaterThan(created.revision);
        expect(deleted.createRevision).toBe(created.revision);
        expect(deleted.object.metadata).toMatchObject({
          name: 'a',
          resourceVersion: String(deleted.revision),
        });
        expect(await storage.get(key, CONSISTENT)).toBeUndefined();
      }));

    it('refuses a state that is not the expected one', () =>
      run(async ({ storage, keyspace }) => {
        const key = `${keyspace}pods/ns1/a`;
        const first = await storage.create(key, podValue('a'));
        await storage.update(key, first.revision, podValue('a', 'redis'));
        expect(await codeOf(storage.delete(key, first.revision))).toBe('conflict');
        expect(await storage.get(key, CONSISTENT)).toBeDefined();
      }));

    it('gives a key that is created again a new creation revision', () =>
      run(async ({ storage, keyspace }) => {
        const key = `${keyspace}pods/ns1/a`;
        const first = await storage.create(key, podValue('a'));
        const deleted = await storage.delete(key, first.revision);
        const second = await storage.create(key, podValue('a'));
        expect(second.createRevision).toBeGreaterThan(deleted.revision);
      }));
  });

  describe('guards', () => {
    it('lets a write through while every guard holds, and not after', () =>
      run(async ({ storage, keyspace }) => {
        const lease = await storage.create(`${keyspace}leases/ns1/leader`, podValue('leader'));
        const guards = new Map([[lease.key, lease.revision]]);
        const key = `${keyspace}pods/ns1/a`;
        const created = await storage.create(key, podValue('a'), { guards });
        await storage.update(lease.key, lease.revision, podValue('leader', 'other'));
        const late = storage.update(key, created.revision, podValue('a', 'late'), { guards });
        expect(await codeOf(late)).toBe('guard');
        expect(await codeOf(storage.delete(key, created.revision, { guards }))).toBe('guard');
        expect((await storage.get(key, CONSISTENT))?.revision).toBe(created.revision);
      }));

    it('takes 0 as "must not be there"', () =>
      run(async ({ storage, keyspace }) => {
        const guards = new Map([[`${keyspace}locks/l`, 0]]);
        expect(await codeOf(storage.create(`${keyspace}a/1`, podValue('1'), { guards }))).toBe(
          'resolved',
        );
        await storage.create(`${keyspace}locks/l`, podValue('l'));
        expect(await codeOf(storage.create(`${keyspace}a/2`, podValue('2'), { guards }))).toBe(
          'guard',
        );
      }));
  });

  describe('ttlSeconds', () => {
    it(
      'removes the key after its time, with a DELETED event, and keeps those without one',
      () =>
        run(async ({ storage, keyspace }) => {
          const start = await storage.revision();
          const watch = new WatchRecorder(storage, `${keyspace}events/`, { after: start });
          await storage.create(`${keyspace}events/ns1/short`, podValue('short'), { ttlSeconds: 1 });
          await storage.create(`${keyspace}events/ns1/long`, podValue('long'), {
            ttlSeconds: 3600,
          });
          await storage.create(`${keyspace}events/ns1/ever`, podValue('ever'));
          await eventually(
            async () =>
              (await storage.get(`${keyspace}events/ns1/short`, CONSISTENT)) === undefined,
            {
              timeoutMs: 10_000,
              intervalMs: 100,
            },
          );
          await watch.until(4);
          expect(watch.events.map(({ type }) => type)).toEqual([
            'ADDED',
            'ADDED',
            'ADDED',
            'DELETED',
          ]);
          const { entries } = await storage.list(`${keyspace}events/`, CONSISTENT);
          expect(entries.map(({ object }) => object.metadata.name)).toEqual(['ever', 'long']);
          await watch.stop();
        }),
      20_000,
    );
  });

  it('moves the revision on with every real write', () =>
    run(async ({ storage, keyspace }) => {
      let last = await storage.revision();
      for (let i = 0; i < 5; i++) {
        const { revision } = await storage.create(`${keyspace}pods/ns1/p${i}`, podValue(`p${i}`));
        expect(revision).toBeGreaterThan(last);
        last = revision;
      }
      expect(await storage.revision()).toBeGreaterThanOrEqual(last);
      expect((await storage.list(`${keyspace}pods/`, ANY)).revision).toBeGreaterThan(0);
    }));
}
