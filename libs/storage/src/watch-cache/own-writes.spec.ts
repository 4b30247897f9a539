import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '@orrery/apimachinery';
import { StoredEntry } from '../etcd3/stored-entry.js';
import type { Entry } from '../storage.js';
import { OwnWrites } from './own-writes.js';

const VALUE = Buffer.from('{"metadata":{"name":"a"}}');

const entryAt = (revision: number): StoredEntry =>
  new StoredEntry({ key: '/k/a', revision, createRevision: 1, value: VALUE });

describe('own writes', () => {
  const cached = entryAt(5);
  const state = {
    revision: 5,
    get: (key: string): Entry | undefined => (key === '/k/a' ? cached : undefined),
  };

  it('hand the entry that was answered to the event that comes later, once', () => {
    const own = new OwnWrites(state);
    const written = entryAt(6);
    expect(own.note(written)).toBe(written);
    expect(own.take('/k/b', 6, VALUE)).toBeUndefined();
    expect(own.take('/k/a', 7, VALUE)).toBeUndefined();
    expect(own.take('/k/a', 6, VALUE)).toBe(written);
    expect(own.take('/k/a', 6, VALUE)).toBeUndefined();
  });

  it('answer the entry of an event that was faster, which has need of no check then', () => {
    const own = new OwnWrites(state);
    expect(own.note(entryAt(5))).toBe(cached);
    expect(own.take('/k/a', 5, VALUE)).toBeUndefined();
  });

  it('answer what was written where the cache has gone on', () => {
    const own = new OwnWrites(state);
    const overtaken = entryAt(4);
    expect(own.note(overtaken)).toBe(overtaken);
    expect(own.take('/k/a', 4, VALUE)).toBeUndefined();
  });

  it('hand over nothing where the state is another one', () => {
    const own = new OwnWrites(state);
    own.note(entryAt(6).detach());
    expect(own.take('/k/a', 6, Buffer.from('{"metadata":{"name":"b"}}'))).toBeUndefined();
    const written = entryAt(6).detach();
    own.note(written);
    expect(own.take('/k/a', 6, VALUE)).toBe(written);
  });

  it('say what is being written while it is, to an event that is faster than its answer', async () => {
    const own = new OwnWrites(state);
    const write = { value: VALUE, object: { metadata: { name: 'a' } } };
    const other = { value: Buffer.from('{"metadata":{"name":"b"}}'), object: undefined };
    const seen = own.during('/k/a', write, async () => {
      await own.during('/k/a', other, () => Promise.resolve());
      return [
        own.writing('/k/a', Buffer.from(VALUE)),
        own.writing('/k/a', other.value),
        own.writing('/k/b', VALUE),
      ];
    });
    expect(await seen).toStrictEqual([write, undefined, undefined]);
    expect(own.writing('/k/a', VALUE)).toBeUndefined();
  });

  it('forget a write that failed', async () => {
    const own = new OwnWrites(state);
    const write = { value: VALUE, object: undefined };
    const failing = own.during('/k/a', write, () => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    expect(own.writing('/k/a', VALUE)).toBeUndefined();
  });
});

describe('an entry whose writer still has the object', () => {
  const entryOf = (revision: number, object: KubeObject): StoredEntry =>
    new StoredEntry({ key: '/k/a', revision, createRevision: 1, value: VALUE, object });

  it('answers it with its revision, in the answer and in the event of the write', () => {
    const object: KubeObject = { metadata: { name: 'a' } };
    expect(entryOf(6, object).object).toBe(object);
    expect(entryOf(6, object).object).toBe(object);
    expect(object).toStrictEqual({ metadata: { name: 'a', resourceVersion: '6' } });
  });

  it('parses its value where the object has become that of another revision', () => {
    const object: KubeObject = { metadata: { name: 'a' } };
    entryOf(6, object);
    const { object: parsed } = entryOf(7, object);
    expect(parsed).toStrictEqual({ metadata: { name: 'a', resourceVersion: '7' } });
    expect(object.metadata.resourceVersion).toBe('6');
  });
});
