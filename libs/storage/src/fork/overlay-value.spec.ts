import { describe, expect, it } from '@jest/globals';

import { decodeForkRecord, overlayKey, parseOverlayKey } from './fork-record.js';
import { decodeOverlay, overValue, tombstone } from './overlay-value.js';

const KEY = '/registry/pods/ns1/a';
const POD = Buffer.from('{"kind":"Pod","metadata":{"name":"a"}}');

const decode = (value: Buffer) =>
  decodeOverlay(KEY, { value, mod_revision: '30', create_revision: '20' });

describe('decodeOverlay()', () => {
  it.each([
    { name: "a key of the fork's own", value: POD, over: undefined, created: 20 },
    { name: 'a changed key of the base', value: overValue(12, 10, POD), over: 12, created: 10 },
    { name: 'one created anew', value: overValue(12, undefined, POD), over: 12, created: 30 },
  ])('reads $name', ({ value, over, created }) => {
    const state = decode(value);
    if (state.kind !== 'object') throw new Error('it is an object');
    expect(state.over).toBe(over);
    expect(state.entry.value.toString()).toBe(POD.toString());
    expect([state.entry.key, state.entry.revision, state.entry.createRevision]).toEqual([
      KEY,
      30,
      created,
    ]);
  });

  it('reads a tombstone', () => {
    expect(decode(tombstone(12))).toEqual({ kind: 'deleted', revision: 30, over: 12 });
  });

  it.each(['over ', 'over 12\n{}', 'over x deleted\n', 'over 12 created 1 {}'])(
    'calls %j corrupt',
    (text) => {
      expect(() => decode(Buffer.from(text))).toThrow(/broken header/);
    },
  );
});

describe('overlayKey()', () => {
  it('is taken apart again', () => {
    expect(parseOverlayKey(overlayKey('x', KEY))).toEqual({ name: 'x', key: KEY });
  });

  it.each([KEY, '/forks', '/forks/x', '/orrery/forks/x'])('is not %s', (key) => {
    expect(parseOverlayKey(key)).toBeUndefined();
  });
});

describe('decodeForkRecord()', () => {
  it.each(['', '{', '[]', '{"name":"x"}'])('calls %j corrupt', (text) => {
    expect(() => decodeForkRecord('/orrery/forks/x', Buffer.from(text), 1)).toThrow(/fork/);
  });
});
