import { describe, expect, it } from '@jest/globals';
import { finish } from '@orrery/apimachinery';
import { isStorageError } from '../storage-error.js';
import { StoredEntry } from './stored-entry.js';

const entryOf = (text: string): StoredEntry =>
  new StoredEntry({ key: '/registry/a', revision: 7, createRevision: 5, value: Buffer.from(text) });

const wide = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`k${i}`, 'v']));
const object = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a' }, data: wide };
const LARGE = JSON.stringify(object);
const seen = { ...object, metadata: { name: 'a', resourceVersion: '7' } };

const read = (entry: StoredEntry, wanted: 'sound' | 'object'): unknown => {
  const steps = entry.readSteps(wanted);
  return steps && finish(steps);
};

describe('readSteps()', () => {
  it('parses a large value in more than one step, to what `object` is then', () => {
    const entry = entryOf(LARGE);
    const steps = entry.readSteps('object');
    let count = 0;
    let last = steps?.next();
    for (; last?.done === false; last = steps?.next()) count += 1;
    expect(count).toBeGreaterThan(2);
    expect(last?.value).toBe(entry.object);
    expect(JSON.stringify(entry.object)).toBe(JSON.stringify(seen));
    expect(entry.readSteps('object')).toBeUndefined();
  });

  const stepsOf = (entry: StoredEntry, readers: number): { steps: number; found: unknown[] } => {
    const open = Array.from({ length: readers }, () => entry.readSteps('object'));
    const found: unknown[] = [];
    for (let steps = 0; ; steps += 1) {
      const at = steps % readers;
      const next = open[at]?.next();
      if (next?.done) found[at] = next.value;
      if (found.filter(Boolean).length === readers) return { steps, found };
    }
  };

  it('parses a large value once for all who read it at the same time', () => {
    const alone = stepsOf(entryOf(LARGE), 1).steps;
    const { steps, found } = stepsOf(entryOf(LARGE), 50);
    expect(new Set(found).size).toBe(1);
    // Each of them comes by once more, to take what was made.
    expect(steps).toBeLessThan(alone + 2 * 50);
  });

  it('is gone on with by those who stay, and says to each what is wrong', () => {
    const entry = entryOf(LARGE);
    entry.readSteps('object')?.next();
    expect(JSON.stringify(read(entry, 'object'))).toBe(JSON.stringify(seen));
    const broken = entryOf(`${LARGE.slice(0, -1)},"a":undefined}`);
    const readers = [broken.readSteps('object'), broken.readSteps('object')];
    for (const steps of readers) steps?.next();
    for (const steps of readers)
      expect(() => steps && finish(steps)).toThrow('the value stored at /registry/a is not JSON');
  });

  it('parses what `bytes` are, too', () => {
    const entry = entryOf(LARGE);
    expect(entry.bytes.toString()).toContain('"resourceVersion":"7"');
    expect(JSON.stringify(read(entry, 'object') ?? entry.object)).toBe(JSON.stringify(seen));
  });

  it('has nothing to do for a small value, for bytes that are known to be sound, and for a parsed one', () => {
    expect(
      entryOf('{"kind":"A","apiVersion":"v1","metadata":{}}').readSteps('object'),
    ).toBeUndefined();
    const sound = entryOf(LARGE);
    sound.trust();
    expect(sound.readSteps('sound')).toBeUndefined();
    expect(sound.readSteps('object')).toBeDefined();
    const parsed = entryOf(LARGE);
    expect(parsed.object.metadata.resourceVersion).toBe('7');
    expect(parsed.readSteps('sound')).toBeUndefined();
  });

  it.each([
    {
      name: 'no JSON',
      text: LARGE.slice(0, -1),
      told: 'the value stored at /registry/a is not JSON',
    },
    { name: 'no object', text: `["${'x'.repeat(200_000)}"]`, told: 'is not a Kubernetes object' },
    { name: 'encrypted', text: `k8s:enc:${LARGE}`, told: 'identity transformer tried to read' },
  ])('says of a large value that is $name what `object` says', ({ text, told }) => {
    const failure = (run: () => unknown): unknown => {
      try {
        return run();
      } catch (error) {
        return error;
      }
    };
    const found = failure(() => read(entryOf(text), 'object'));
    expect(isStorageError(found, 'corrupt')).toBe(true);
    expect(String(found)).toContain(told);
    expect(String(found)).toBe(String(failure(() => entryOf(text).object)));
  });
});
