import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatLabelSelector, labelSelectorMatcher, parseLabelSelector } from './label-selector.js';
import { SelectorError } from './requirement.js';

/** True when the text is refused with a SelectorError or its printed form reads back the same. */
function printAgain(text: string): boolean {
  try {
    const once = parseLabelSelector(text).toString();
    return parseLabelSelector(once).toString() === once;
  } catch (error) {
    return error instanceof SelectorError;
  }
}

describe('parseLabelSelector()', () => {
  const labels = { app: 'web', tier: 'a', size: '10' };
  it.each<{ text: string; want: boolean; print?: string }>([
    { text: '', want: true },
    { text: 'app=web', want: true },
    { text: 'app==web', want: true },
    { text: 'app = web , tier in (a, b)', want: true, print: 'app=web,tier in (a,b)' },
    { text: 'tier notin (a)', want: false },
    { text: 'absent!=x', want: true },
    { text: 'app!=web', want: false },
    { text: '!app', want: false },
    { text: '!absent', want: true },
    { text: 'app,tier', want: true },
    { text: 'size>9', want: true },
    { text: 'size<9', want: false },
    { text: 'app>9', want: false },
    { text: 'app=', want: false },
    { text: 'app in (,web)', want: true, print: 'app in (,web)' },
    { text: 'in in (in)', want: false },
  ])('reads $text', ({ text, want, print }) => {
    const selector = parseLabelSelector(text);
    expect(selector.matches(labels)).toBe(want);
    expect(selector.toString()).toBe(print ?? selector.toString());
  });

  it.each([
    { text: 'app in', want: "unable to parse requirement: found '' expected: '('" },
    { text: 'app=a b', want: "found 'b', expected: ',' or 'end of string'" },
    { text: ',app', want: "found ',', expected: !, identifier, or 'end of string'" },
    { text: 'app,', want: "found '', expected: identifier after ','" },
    {
      text: 'app b',
      want: "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
    },
    {
      text: 'a$=b',
      want: "unable to parse requirement: <nil>: Invalid value: \"a$\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
    },
    {
      text: 'a=b$',
      want: "unable to parse requirement: values[0][a]: Invalid value: \"b$\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
    },
  ])('refuses $text', ({ text, want }) => {
    expect(() => parseLabelSelector(text)).toThrow(new SelectorError(want));
  });

  it('gives a selector or a SelectorError for any text, and prints what it can read again', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom('a', 'b', '=', '!', '(', ')', ',', ' ', 'in', '<', '>'),
        }),
        (text) => {
          expect(printAgain(text)).toBe(true);
        },
      ),
    );
  });
});

describe('labelSelectorMatcher()', () => {
  it('selects nothing when absent and everything when empty', () => {
    expect(labelSelectorMatcher(undefined).matches({})).toBe(false);
    expect(labelSelectorMatcher({}).matches({ a: 'b' })).toBe(true);
  });

  it('combines labels and expressions', () => {
    const selector = labelSelectorMatcher({
      matchLabels: { app: 'web' },
      matchExpressions: [{ key: 'env', operator: 'NotIn', values: ['prod'] }],
    });
    expect(selector.matches({ app: 'web' })).toBe(true);
    expect(selector.matches({ app: 'web', env: 'prod' })).toBe(false);
  });

  it('refuses an unknown operator', () => {
    expect(() =>
      labelSelectorMatcher({ matchExpressions: [{ key: 'a', operator: 'constructor' }] }),
    ).toThrow('"constructor" is not a valid label selector operator');
  });
});

describe('formatLabelSelector()', () => {
  it.each([
    { selector: undefined, want: '<none>' },
    { selector: {}, want: '<none>' },
    { selector: { matchLabels: { b: '2', a: '1' } }, want: 'a=1,b=2' },
    { selector: { matchExpressions: [{ key: 'a', operator: 'Exists' }] }, want: 'a' },
    { selector: { matchExpressions: [{ key: 'a', operator: 'Bad' }] }, want: '<error>' },
  ])('prints $want', ({ selector, want }) => {
    expect(formatLabelSelector(selector)).toBe(want);
  });
});
