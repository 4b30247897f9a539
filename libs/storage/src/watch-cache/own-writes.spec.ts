import { describe, expect, it } from '@jest/globals';
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
});
