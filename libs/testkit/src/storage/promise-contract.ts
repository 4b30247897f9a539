import { SystemRandom } from '@orrery/component';
import type { Storage } from '@orrery/storage';

import { jestGlobals } from '../jest-globals.js';
import {
  CONSISTENT,
  WatchRecorder,
  codeOf,
  errorOf,
  exactly,
  notOlderThan,
  podValue,
} from './contract-context.js';
import type { ContractRun, StorageUnderTest } from './contract-context.js';

const STEPS = 60;
const NAMES = ['a', 'b', 'c', 'd', 'e'];

/** `name=image` of everything below a prefix at one revision. */
type Snapshot = readonly string[];

async function snapshotAt(storage: Storage, prefix: string, revision: number): Promise<Snapshot> {
  const { entries } = await storage.list(prefix, exactly(revision));
  return entries.map(({ key, value }) => `${key.slice(prefix.length)}=${imageOf(value)}`);
}

const imageOf = (value: Buffer): string => /"image":"([^"]*)"/.exec(value.toString())?.[1] ?? '';

/** Creates, changes and deletes at random; answers the state that each write left, by its revision. */
async function writeHistory(storage: Storage, prefix: string): Promise<Map<number, Snapshot>> {
  const random = new SystemRandom();
  const now = new Map<string, { readonly revision: number; readonly image: string }>();
  const states = new Map<number, Snapshot>();
  for (let step = 0; step < STEPS; step++) {
    const name = NAMES[Math.floor(random.next() * NAMES.length)] ?? 'a';
    const key = prefix + name;
    const known = now.get(name);
    const image = `v${step}`;
    let revision: number;
    if (!known) ({ revision } = await storage.create(key, podValue(name, image)));
    else if (random.next() < 0.3) ({ revision } = await storage.delete(key, known.revision));
    else ({ revision } = await storage.update(key, known.revision, podValue(name, image)));
    if (known && revision > 0 && (await storage.get(key, CONSISTENT)) === undefined)
      now.delete(name);
    else now.set(name, { revision, image });
    states.set(revision, [...now].map(([each, state]) => `${each}=${state.image}`).sort());
  }
  return states;
}

const another = (replica: StorageUnderTest['replica']): Promise<Storage> => {
  if (!replica) throw new Error('this part of the contract needs a replica');
  return replica();
};

/** What holds between replicas, over revisions and when a caller gives up (consistency.md 1.2: P1, P2, P6, P9, P10). */
export function promiseContract(run: ContractRun): void {
  const { describe, it, expect } = jestGlobals();
  describe('promises', () => {
    it('P1: a write that was refused moves no revision and sends no event', () =>
      run(async ({ storage, keyspace }) => {
        const key = `${keyspace}pods/ns1/a`;
        const first = await storage.create(key, podValue('a', 'v1'));
        const now = await storage.update(key, first.revision, podValue('a', 'v2'));
        const watch = new WatchRecorder(storage, `${keyspace}pods/`, { after: now.revision });
        const before = await storage.revision();
        const guards = new Map([[key, first.revision]]);
        const codes = await Promise.all([
          codeOf(storage.create(key, podValue('a'))),
          codeOf(storage.update(key, first.revision, podValue('a'))),
          codeOf(storage.update(key, now.revision + 1000, podValue('a'))),
          codeOf(storage.delete(key, first.revision)),
          codeOf(storage.delete(`${keyspace}pods/ns1/none`, first.revision)),
          codeOf(storage.create(`${keyspace}pods/ns1/b`, podValue('b'), { guards })),
        ]);
        expect(codes).toEqual(['exists', 'conflict', 'conflict', 'conflict', 'conflict', 'guard']);
        expect(await storage.revision()).toBe(before);
        const mark = await storage.create(`${keyspace}pods/ns1/mark`, podValue('mark'));
        await watch.until(1);
        expect(watch.lines).toEqual([`ADDED mark@${mark.revision}`]);
        await watch.stop();
      }));

    it('P2: what one replica has acknowledged, every other one reads at once', () =>
      run(async ({ storage, replica, keyspace }) => {
        const key = `${keyspace}pods/ns1/a`;
        let { revision } = await storage.create(key, podValue('a', 'v0'));
        const [one, other] = [storage, await another(replica)];
        for (let i = 1; i <= 20; i++) {
          const [writer, reader] = i % 2 === 0 ? [one, other] : [other, one];
          ({ revision } = await writer.update(key, revision, podValue('a', `v${i}`)));
          const [got, listed] = await Promise.all([
            reader.get(key, CONSISTENT),
            reader.list(`${keyspace}pods/`, CONSISTENT),
          ]);
          expect(got?.revision).toBe(revision);
          expect(listed.entries[0]?.revision).toBe(revision);
          expect(listed.revision).toBeGreaterThanOrEqual(revision);
        }
      }));

    it('P2: of two replicas that change one state, one is refused', () =>
      run(async ({ storage, replica, keyspace }) => {
        const key = `${keyspace}pods/ns1/a`;
        const other = await another(replica);
        let { revision } = await storage.create(key, podValue('a'));
        for (let i = 0; i < 10; i++) {
          const codes = await Promise.all(
            [storage, other].map((each) =>
              codeOf(each.update(key, revision, podValue('a', `v${i}`))),
            ),
          );
          expect(codes.toSorted()).toEqual(['conflict', 'resolved']);
          revision = (await storage.get(key, CONSISTENT))?.revision ?? 0;
        }
      }));

    it('P6: a read that must not be older than a write waits for it, on any replica', () =>
      run(async ({ storage, replica, keyspace }) => {
        const other = await another(replica);
        for (let i = 0; i < 20; i++) {
          const key = `${keyspace}pods/ns1/p${i}`;
          const { revision } = await storage.create(key, podValue(`p${i}`));
          const list = await other.list(`${keyspace}pods/`, notOlderThan(revision));
          expect(list.entries).toHaveLength(i + 1);
          expect(list.revision).toBeGreaterThanOrEqual(revision);
          expect((await other.get(key, notOlderThan(revision)))?.revision).toBe(revision);
        }
      }));

    it('P9: the state of every revision since the last compaction can be read, whole and by key', () =>
      run(async ({ storage, replica, keyspace }) => {
        const prefix = `${keyspace}pods/ns1/`;
        const states = await writeHistory(storage, prefix);
        for (const each of [storage, await another(replica)]) {
          for (const [revision, state] of states) {
            expect(await snapshotAt(each, prefix, revision)).toEqual(state);
            const a = await each.get(`${prefix}a`, exactly(revision));
            expect(a && `a=${imageOf(a.value)}`).toBe(state.find((item) => item.startsWith('a=')));
          }
        }
      }));

    it('P9: a watch replays the same states as the reads', () =>
      run(async ({ storage, replica, keyspace }) => {
        const prefix = `${keyspace}pods/ns1/`;
        const after = await storage.revision();
        const states = await writeHistory(storage, prefix);
        const watch = new WatchRecorder(await another(replica), prefix, { after });
        await watch.until(states.size);
        const now = new Map<string, string>();
        for (const { type, entry, revision } of watch.events) {
          const name = entry.key.slice(prefix.length);
          if (type === 'DELETED') now.delete(name);
          else now.set(name, imageOf(entry.value));
          expect([...now].map(([each, image]) => `${each}=${image}`).sort()).toEqual(
            states.get(revision),
          );
        }
        await watch.stop();
      }));

    it('P10: a caller that gives up hears that the outcome is unknown, or that nothing was done', () =>
      run(async ({ storage, keyspace }) => {
        const early = await errorOf(
          storage.create(`${keyspace}pods/ns1/early`, podValue('early'), {
            signal: AbortSignal.abort(),
          }),
        );
        expect(early?.code).toBe('aborted');
        expect(await storage.get(`${keyspace}pods/ns1/early`, CONSISTENT)).toBeUndefined();
        for (let i = 0; i < 10; i++) {
          const controller = new AbortController();
          const key = `${keyspace}pods/ns1/late-${i}`;
          const creating = codeOf(
            storage.create(key, podValue('late'), { signal: controller.signal }),
          );
          for (let turns = 0; turns < i; turns++) await Promise.resolve();
          controller.abort();
          const code = await creating;
          expect(['resolved', 'aborted', 'unknownOutcome']).toContain(code);
          const found = await storage.get(key, CONSISTENT);
          if (code === 'resolved') expect(found).toBeDefined();
          if (code === 'aborted') expect(found).toBeUndefined();
        }
      }));
  });
}
