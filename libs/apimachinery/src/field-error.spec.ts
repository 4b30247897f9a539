import { describe, expect, it } from '@jest/globals';
import { FieldPath, invalid } from './field-error.js';

describe('a rejected string', () => {
  it.each([
    ['plain', 'a b', '"a b"'],
    ['quotes and backslashes', 'a"b\\c', String.raw`"a\"b\\c"`],
    ['blanks with a letter of their own', '\n\r\t\b\f\v\u0007', String.raw`"\n\r\t\b\f\v\a"`],
    ['controls', '\u0000\u001f\u007f', String.raw`"\x00\x1f\x7f"`],
    ['letters of any script', 'äж漢', '"äж漢"'],
    ['pictures', '😀', '"😀"'],
    ['what cannot be printed', '\u00a0\u200b\u2028', String.raw`"\u00a0\u200b\u2028"`],
    ['the same beyond 16 bits', '\u{e0001}', String.raw`"\U000e0001"`],
  ])('is printed as Go prints it: %s', (_, value, printed) => {
    expect(invalid(FieldPath.of('f'), value, 'why').message).toBe(`Invalid value: ${printed}: why`);
  });
});
