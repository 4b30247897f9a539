import { describe, expect, it } from '@jest/globals';
import { escapeValue, parseFieldSelector } from './field-selector.js';

describe('parseFieldSelector()', () => {
  const fields = { 'metadata.name': 'a', 'spec.nodeName': '', odd: 'a,b=c\\' };
  it.each([
    { text: '', want: true },
    { text: 'metadata.name=a', want: true },
    { text: 'metadata.name==a', want: true },
    { text: 'metadata.name!=a', want: false },
    { text: 'spec.nodeName=', want: true },
    { text: 'absent!=x,metadata.name=a', want: true },
    { text: 'metadata.name=a,metadata.name=a', want: true },
    { text: 'metadata.name=a,metadata.name=b', want: false },
    { text: 'metadata.name=a,metadata.name!=a', want: false },
    { text: 'metadata.name!=b,metadata.name!=c', want: true },
    { text: 'absent!=', want: false },
    { text: `odd=${escapeValue(fields.odd)}`, want: true },
  ])('reads $text', ({ text, want }) => {
    expect(parseFieldSelector(text).matches(fields)).toBe(want);
  });

  it('asks an object once of each field, however many terms there are', () => {
    const terms = Array.from({ length: 20_000 }, (_, i) => `metadata.name!=x${i}`);
    const selector = parseFieldSelector(terms.join(','));
    const asked: PropertyKey[] = [];
    const watched = new Proxy(
      { 'metadata.name': 'a' },
      { get: (target, key) => (asked.push(key), Reflect.get(target, key) as string) },
    );
    expect(selector.matches(watched)).toBe(true);
    expect(asked).toEqual(['metadata.name']);
  });

  it('tells which fields it uses and which value it demands', () => {
    const selector = parseFieldSelector('status.phase!=Failed,metadata.name=x,status.phase!=Done');
    expect(selector.fields).toEqual(['metadata.name', 'status.phase']);
    expect(selector.exactValue('metadata.name')).toBe('x');
    expect(selector.exactValue('status.phase')).toBeUndefined();
  });

  it.each([
    { text: 'abc', want: "invalid selector: 'abc'; can't understand 'abc'" },
    { text: 'a=b\\n', want: 'invalid field selector: invalid escape sequence: \\n' },
    { text: 'a=b=c', want: 'invalid field selector: unescaped character in value: 61' },
  ])('refuses $text', ({ text, want }) => {
    expect(() => parseFieldSelector(text)).toThrow(want);
  });
});
