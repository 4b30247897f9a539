import { describe, expect, it } from '@jest/globals';
import { encodeListJson } from './encode-list.js';

const HEAD = { kind: 'Table', metadata: { resourceVersion: '7' } };

describe('encodeListJson()', () => {
  it.each([
    { name: 'nothing', items: [] },
    { name: 'one', items: [{ a: 1 }] },
    { name: 'objects in objects', items: [{ a: { b: [1, { c: 'x\ny' }] } }, {}, { d: [] }] },
  ])('writes a list of $name as JSON.stringify does, for programs and for people', async (one) => {
    const list = { items: one.items, toItem: (item: object) => item };
    const whole = { ...HEAD, rows: one.items };
    const text = async (pretty: boolean): Promise<string> =>
      Buffer.concat(await encodeListJson(HEAD, 'rows', list, pretty)).toString();
    expect(await text(false)).toBe(JSON.stringify(whole));
    expect(await text(true)).toBe(`${JSON.stringify(whole, undefined, 2)}\n`);
  });

  it('writes of large items, once they are read, what JSON.stringify does', async () => {
    const wide = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`k${i}`, i]));
    const items = [{ of: 'small' }, { of: 'large' }, { of: 'small' }];
    const read = new Set<object>();
    function* reading(item: object): Generator<undefined, void> {
      yield;
      read.add(item);
    }
    const list = {
      items,
      toItem: (item: { of: string }) => (read.has(item) ? { ...item, wide } : item),
      unread: (item: { of: string }) => (item.of === 'large' ? reading(item) : undefined),
    };
    const [first, , last] = items;
    const whole = JSON.stringify({ ...HEAD, rows: [first, { of: 'large', wide }, last] });
    expect(Buffer.concat(await encodeListJson(HEAD, 'rows', list)).toString()).toBe(whole);
  });
});
