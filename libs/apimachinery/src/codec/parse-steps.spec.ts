import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { finish } from '../steps.js';
import { parseJsonSteps } from './parse-steps.js';

const times = <T>(count: number, item: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => item(i));
const fields = (count: number, value: (i: number) => unknown): Record<string, unknown> =>
  Object.fromEntries(times(count, (i) => [`k${i}`, value(i)]));

const parse = (text: string): unknown => finish(parseJsonSteps(Buffer.from(text)));

function stepsOf(text: string): number {
  const steps = parseJsonSteps(Buffer.from(text));
  for (let count = 0; ; count += 1) if (steps.next().done) return count;
}

/** Fields whose document is more than two pieces. */
const LARGE = 14_000;

describe('parseJsonSteps()', () => {
  it.each([
    { name: 'a wide map', value: fields(LARGE, () => 'v') },
    { name: 'a long list', value: times(LARGE, (i) => i) },
    {
      name: 'a wide map between others',
      value: { a: 1, b: { c: fields(LARGE, () => ({})) }, d: [] },
    },
    {
      name: 'wide maps in a list',
      value: [1, fields(LARGE, () => 'a'), fields(LARGE, () => []), 2],
    },
    { name: 'a long text', value: { a: 'x'.repeat(LARGE * 10), b: 'y' } },
    { name: 'brackets, commas and quotes in texts', value: fields(LARGE, () => '"],}{[\\",\\') },
    { name: 'other letters', value: fields(LARGE, (i) => `ü€😀${i}`) },
    {
      name: 'maps that are numbered',
      value: Object.fromEntries(times(LARGE, (i) => [i, i])),
    },
  ])('makes of $name what JSON.parse does, in pieces', ({ value }) => {
    const text = JSON.stringify(value);
    expect(JSON.stringify(parse(text)) === text).toBe(true);
    const spaced = JSON.stringify(value, undefined, 2);
    expect(JSON.stringify(parse(spaced), undefined, 2) === spaced).toBe(true);
  });

  it('gives others their turn within a map that is wide, and within what is below others', () => {
    expect(stepsOf(JSON.stringify(fields(LARGE, () => 'v')))).toBeGreaterThan(2);
    expect(stepsOf(JSON.stringify([{ a: [fields(LARGE, () => 'v')] }]))).toBeGreaterThan(2);
    expect(stepsOf(JSON.stringify(fields(10, () => 'v')))).toBe(0);
  });

  const nested = `{"a":${'[{"a":'.repeat(15)}{${times(LARGE, (i) => `"k${i}":1`).join()}}${'}]'.repeat(15)}}`;
  it.each([
    { name: 'small', text: `${'['.repeat(32)}${']'.repeat(32)}` },
    { name: 'large', text: nested },
  ])('refuses a $name document that is deeper than it may be', ({ text }) => {
    const bytes = Buffer.from(text);
    expect(() => finish(parseJsonSteps(bytes, { depth: 31 }))).toThrow('exceeded max depth');
    expect(JSON.stringify(finish(parseJsonSteps(bytes, { depth: 32 })))).toBe(text);
  });

  it.each([
    { name: 'map', value: fields(LARGE, () => 'v') },
    { name: 'list', value: times(LARGE, () => 'some text') },
    { name: 'map below others', value: [{ a: fields(LARGE, () => 'v') }] },
    { name: 'list of large ones', value: times(60, () => fields(LARGE, () => 'v')), width: 59 },
  ])('refuses a $name that is wider than it may be', ({ value, width = LARGE - 1 }) => {
    const bytes = Buffer.from(JSON.stringify(value));
    expect(() => finish(parseJsonSteps(bytes, { width }))).toThrow('exceeded max width');
    const wide = finish(parseJsonSteps(bytes, { width: LARGE }));
    expect(JSON.stringify(wide) === bytes.toString()).toBe(true);
  });

  it('refuses what is malformed, and would be parsed in one go, where there are limits', () => {
    const bytes = Buffer.from(`{${times(LARGE, (i) => `"k${i}":1`).join()},}`);
    expect(() => finish(parseJsonSteps(bytes, { depth: 9 }))).toThrow('malformed');
  });

  it('says of what is too deep and has no end that it is too deep', () => {
    const bytes = Buffer.from('['.repeat(100_000));
    expect(() => finish(parseJsonSteps(bytes, { depth: 100 }))).toThrow('exceeded max depth');
  });

  it('takes __proto__ as a field like others, and the last of repeated fields', () => {
    const many = times(LARGE, (i) => `"k${i}":1`).join();
    const found = parse(`{"__proto__":{"a":1},${many},"k3":2,"__proto__":{"b":2}}`) as object;
    expect(Object.getPrototypeOf(found)).toBe(Object.prototype);
    expect(Object.getOwnPropertyDescriptor(found, '__proto__')?.value).toEqual({ b: 2 });
    expect(found).toMatchObject({ k3: 2 });
  });

  const many = times(LARGE, (i) => `"k${i}":1`).join();
  it.each([
    { name: 'a comma at the end', text: `{${many},}` },
    { name: 'a comma at the beginning', text: `{,${many}}` },
    { name: 'two commas', text: `{${many},,${many}}` },
    { name: 'no comma behind a large value', text: `{"a":{${many}}"b":1}` },
    { name: 'a comma behind the last large value', text: `{"a":{${many}},}` },
    { name: 'two keys of a large value', text: `{"a":1 "b":{${many}}}` },
    { name: 'no key of a large value', text: `{{${many}}}` },
    { name: 'a key in a list', text: `["a":{${many}}]` },
    { name: 'brackets that do not match', text: `{"a":[${many}}` },
    { name: 'no end', text: `{${many}` },
    { name: 'a text without end', text: `{${many},"a` },
    { name: 'something behind it', text: `{${many}}x` },
    { name: 'something before it', text: `x{${many}}` },
    { name: 'two documents', text: `{${many}}{${many}}` },
    { name: 'a bare word', text: `{${many},"a":undefined}` },
  ])('refuses $name', ({ text }) => {
    expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
    expect(() => parse(text)).toThrow(SyntaxError);
  });

  it('does with documents that are broken anywhere what JSON.parse does', () => {
    const text = JSON.stringify({ a: [fields(3000, (i) => [i, 'text "quoted"'])], b: { c: 'd' } });
    const outcome = (made: () => unknown): string => {
      try {
        return JSON.stringify(made());
      } catch {
        return 'refused';
      }
    };
    fc.assert(
      fc.property(
        fc.nat(text.length - 1),
        fc.constantFrom('', ',', '"', '{', '}', '[', ']', ':', ' ', '\\', '1', '"x":'),
        fc.nat(2),
        (at, put, cut) => {
          const broken = `${text.slice(0, at)}${put}${text.slice(at + cut)}`;
          const wanted = outcome(() => JSON.parse(broken) as unknown);
          expect(outcome(() => parse(broken)) === wanted).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });
});
