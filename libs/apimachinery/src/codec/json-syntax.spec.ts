import { describe, expect, it } from '@jest/globals';
import { jsonSyntaxProblem } from './json-syntax.js';

// The words were read from encoding/json of Go 1.19.
describe('jsonSyntaxProblem()', () => {
  it.each([
    ['', 'unexpected end of JSON input'],
    ['{', 'unexpected end of JSON input'],
    ['{"a":', 'unexpected end of JSON input'],
    ['{"a', 'unexpected end of JSON input'],
    ['nonsense', "invalid character 'o' in literal null (expecting 'u')"],
    ['x', "invalid character 'x' looking for beginning of value"],
    ['[1,]', "invalid character ']' looking for beginning of value"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b":2}', `invalid character '"' after object key:value pair`],
    ['[1 2]', "invalid character '2' after array element"],
    ['{} {}', "invalid character '{' after top-level value"],
    ['"a\nb"', String.raw`invalid character '\n' in string literal`],
    [String.raw`"\x"`, "invalid character 'x' in string escape code"],
    [String.raw`"\u00g0"`, String.raw`invalid character 'g' in \u hexadecimal character escape`],
    ['-x', "invalid character 'x' in numeric literal"],
    ['1.x', "invalid character 'x' after decimal point in numeric literal"],
    ['1ex', "invalid character 'x' in exponent of numeric literal"],
    ['ä', "invalid character 'Ã' looking for beginning of value"],
    ["'a'", String.raw`invalid character '\'' looking for beginning of value`],
  ])('%s: %s', (text, problem) => {
    expect(jsonSyntaxProblem(text)).toBe(problem);
  });

  it.each(['{}', '[]', '[{"a":[1,-2.5e+3,true,false,null,"\\u00e4\\n"]}]', ' 0 ', '"x"'])(
    'has nothing against %s',
    (text) => {
      expect(jsonSyntaxProblem(text)).toBeUndefined();
    },
  );
});
