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
});
