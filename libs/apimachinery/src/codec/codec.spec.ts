import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DecodeError } from './decode-error.js';
import { finish } from '../steps.js';
import { decodeJson, decodeListSteps, oddFieldsOf } from './json.js';
import { decodeYaml, encodeYaml } from './yaml.js';

describe('decodeJson()', () => {
  it('finds fields given twice, also below lists', () => {
    const text = '{"a":1,"spec":{"b":"{\\"x","b":2,"l":[{"c":1},{"c":1,"c":2}]},"a":2}';
    expect(decodeJson(text, { findDuplicates: true }).duplicateFields).toEqual([
      'spec.b',
      'spec.l[1].c',
      'a',
    ]);
  });

  it('tells unknown and repeated fields as a decoder meets them', () => {
    const text = '{"a":{"x":1,"b":1,"b":2},"l":[{"y":1}],"a":3}';
    expect(oddFieldsOf(Buffer.from(text), ['l[0].y', 'a.x'])).toEqual([
      { path: 'a.x', isRepeated: false },
      { path: 'a.b', isRepeated: true },
      { path: 'l[0].y', isRepeated: false },
      { path: 'a', isRepeated: true },
    ]);
  });

  it('takes __proto__ as data', () => {
    const { value } = decodeJson('{"__proto__":{"polluted":1}}');
    expect(Object.keys(value as object)).toEqual(['__proto__']);
    expect((value as { polluted?: number }).polluted).toBeUndefined();
  });

  it.each([
    { name: 'an early end', text: '{"a":', want: 'unexpected end of JSON input' },
    { name: 'a stray character', text: '{a}', want: /JSON|character/ },
    { name: 'endless nesting', text: '['.repeat(200_000), want: 'exceeded max depth' },
  ])('refuses $name', ({ text, want }) => {
    expect(() => decodeJson(text)).toThrow(want);
  });

  it('agrees with JSON.parse and finds no duplicates where there are none', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        const decoded = decodeJson(text, { findDuplicates: true });
        expect(decoded.value).toEqual(JSON.parse(text));
        expect(decoded.duplicateFields).toEqual([]);
      }),
    );
  });
});

describe('decodeListSteps()', () => {
  const long = `"${'x'.repeat(200)}"`;
  const many = (item: string): string => Array.from({ length: 4000 }, () => item).join(',');
  it.each([
    { name: 'elements', text: ` [${many(long)}] ` },
    { name: 'objects', text: `[${many(`{"a":[1,"]",{"b":${long}}]}`)}]` },
    { name: 'an object', text: `{"a":[${many(long)}]}` },
    { name: 'a short list', text: '[1,[2]]' },
    { name: 'nothing', text: '' },
    { name: 'a comma at the end', text: `[${many(long)},]` },
    { name: 'a comma at the beginning', text: `[,${many(long)}]` },
    { name: 'two commas', text: `[${many(long)},,${many(long)}]` },
    { name: 'more behind', text: `[${many(long)}] 1` },
    { name: 'two lists', text: `[${many(long)}],[${many(long)}]` },
    { name: 'a stray bracket', text: `[${many(long)},],[${many(long)}]` },
    { name: 'too many', text: `[${many('1')},${many('1')}]`.replaceAll('1', `1${' '.repeat(99)}`) },
  ])('agrees with decodeJson: $name', ({ text }) => {
    const attempt = (run: () => unknown): unknown => {
      try {
        return run();
      } catch (error) {
        return String(error);
      }
    };
    const options = { maxValues: 5000 };
    const want = attempt(() => decodeJson(text, options).value);
    expect(attempt(() => finish(decodeListSteps(Buffer.from(text), options)))).toEqual(want);
  });

  it('lets others have their turn', () => {
    const steps = decodeListSteps(Buffer.from(`[${many(long)}]`));
    let turns = 0;
    while (!steps.next().done) turns += 1;
    expect(turns).toBeGreaterThan(4);
  });
});

describe('decodeYaml()', () => {
  it.each<{ text: string; want: unknown }>([
    { text: 'a: 1\nb: [x, "1"]', want: { a: 1, b: ['x', '1'] } },
    { text: 'a: yes\nb: off\nc: "yes"\nd: true', want: { a: true, b: false, c: 'yes', d: true } },
    { text: 'mode: 0644\nb: 0o17', want: { mode: 420, b: 15 } },
    { text: 'd: 2024-01-01\nv: 1.36.4', want: { d: '2024-01-01', v: '1.36.4' } },
    { text: '', want: null },
    { text: '---\na: ~', want: { a: null } },
    { text: '{"a":{"b":[1]}}', want: { a: { b: [1] } } },
  ])('reads $text', ({ text, want }) => {
    expect(decodeYaml(text).value).toEqual(want);
  });

  it.each([
    { name: 'two documents', text: 'a: 1\n---\nb: 2\n' },
    { name: 'an alias', text: 'a: &x [1]\nb: *x\n' },
    { name: 'a bomb (CVE-2019-11253)', text: bomb() },
    { name: 'deep flow nesting', text: '['.repeat(10_000) },
    { name: 'deep block nesting', text: '- '.repeat(20_000) },
    { name: 'infinity', text: 'a: .inf' },
    { name: 'bad indentation', text: 'a: b: c' },
  ])('refuses $name', ({ text }) => {
    expect(() => decodeYaml(text)).toThrow(DecodeError);
  });

  // Read from sigs.k8s.io/yaml:YAMLToJSONStrict: a line is that of the value, and what is inside a value comes first.
  it.each([
    { text: 'a: 1\nb: 2\n', want: [] },
    { text: '{"a":1,"b":{"a":1}}', want: [] },
    {
      text: '\na: 1\nb:\n  - c: 1\n    c: 2\n"a": 3\n',
      want: [
        [5, '"c"'],
        [6, '"a"'],
      ],
    },
    { text: 'a: 1\na:\n  b: 1\n', want: [[3, '"a"']] },
    { text: 'a: 1\na:\n- 1\n', want: [[3, '"a"']] },
    { text: 'a: 1\na:\n', want: [[2, '"a"']] },
    { text: 'a: 1\na: # c\n\n\n', want: [[2, '"a"']] },
    { text: 'a: 1\na:\n\n\n  # c\n  b: 2\n', want: [[6, '"a"']] },
    { text: 'a: |\n  t\na: |\n  u\n', want: [[3, '"a"']] },
    { text: 'a: 1\n? a\n: 2\n', want: [[3, '"a"']] },
    { text: 'a: 1\na: &k\n  b: 1\n', want: [[2, '"a"']] },
    {
      text: 'a: {b: 1, b: 2}\na:\n  c: 1\n  c: 2\nd: 1\n',
      want: [
        [1, '"b"'],
        [4, '"c"'],
        [3, '"a"'],
      ],
    },
    {
      text: "1: a\n1: b\n'1': c\ntrue: x\nyes: y\n",
      want: [
        [2, '1'],
        [5, 'true'],
      ],
    },
    {
      text: '"a\\u00e9": 1\n"a\\u00e9": 2\n"\\x01": 1\n"\\x01": 2\n',
      want: [
        [2, '"aé"'],
        [4, '"\\x01"'],
      ],
    },
    { text: '{"a":1,"a":2}', want: [[1, '"a"']] },
    { text: '{"a":1,\n "a":\n  2}', want: [[3, '"a"']] },
    {
      text: '{"a":{"b":1,\n"b":2},\n"a":{"c":1,\n"c":2}\n}',
      want: [
        [2, '"b"'],
        [4, '"c"'],
        [3, '"a"'],
      ],
    },
    {
      text: '{"x": 1,\n"x": [ [ {"a": 1, "a": 2}, [ {"b": 1,\n "b": 2}]]]}\n',
      want: [
        [2, '"a"'],
        [3, '"b"'],
        [2, '"x"'],
      ],
    },
  ])('finds keys that are given again in $text', ({ text, want }) => {
    expect(decodeYaml(text, { findRepeated: true }).repeatedKeys).toEqual(
      want.map(([line, key]) => `line ${line}: key ${key} already set in map`),
    );
    expect(decodeYaml(text).repeatedKeys).toEqual([]);
  });

  it('keeps merge keys and prototype names inert', () => {
    const value = decodeYaml('<<: {a: 1}\n__proto__: {polluted: 1}\n').value as object;
    expect(Object.keys(value)).toEqual(['<<', '__proto__']);
    expect((value as { polluted?: number }).polluted).toBeUndefined();
  });

  it('reads back what encodeYaml prints', () => {
    expect(encodeYaml({ b: ['yes', 1], a: { c: null, d: 'x: y' } })).toBe(
      "a:\n  c: null\n  d: 'x: y'\nb:\n- 'yes'\n- 1\n".replaceAll("'", '"'),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer())), (value) => {
        expect(decodeYaml(encodeYaml(value)).value).toEqual({ ...value });
      }),
    );
  });
});

function bomb(): string {
  const levels = Array.from({ length: 8 }, (_, i) => {
    const name = String.fromCharCode(98 + i);
    const before = String.fromCharCode(97 + i);
    return `${name}: &${name} [${Array(9).fill(`*${before}`).join(',')}]`;
  });
  return ['a: &a [x,x]', ...levels].join('\n');
}
