import { describe, expect, it } from '@jest/globals';
import { compile } from './program.js';
import type { Environment } from './check/environment.js';
import { standardFunctions } from './functions/standard.js';
import { celTypes } from './types/type.js';
import { dynFromJson } from './values/json-value.js';
import { toJson } from './values/to-json.js';

const DATA = {
  x: 5,
  s: 'hello',
  list: [3, 1, 2],
  names: ['a', 'b', 'a'],
  map: { a: 1, 'b-c': 2 },
  deep: { n: null, inner: { v: 1.5 } },
};

const env: Environment = {
  variables: new Map([
    ['self', celTypes.dyn],
    ['s', celTypes.string],
    ['n', celTypes.int],
  ]),
  functions: standardFunctions,
};

const activation = {
  get: (name: string) =>
    name === 'self' ? dynFromJson(DATA) : name === 's' ? 'hello' : name === 'n' ? 5n : undefined,
};

const evaluate = (source: string, limit?: number): unknown => {
  const { program, problem } = compile(source, env);
  if (!program) return problem;
  const { value, error } = program.evaluate(activation, limit);
  return value === undefined ? `error: ${error ?? ''}` : toJson(value);
};

describe('expressions', () => {
  it.each<readonly [string, unknown]>([
    ['1 + 2 * 3', 7],
    ['-(-9223372036854775808)', 'error: integer overflow'],
    ['9223372036854775807 + 1', 'error: integer overflow'],
    ['1 / 0', 'error: division by zero'],
    ['7 % -3', 1],
    ['1.5 + 2.0', 3.5],
    ['1u + 2u', 3],
    ['1 == int(1.0) && dyn(1) == 1.0', true],
    ['1 < 1.5 && 2u > 1', true],
    ["'a' + \"b\" + r'\\n'", 'ab\\n'],
    ["'\\u00e9\\x41\\101\\n'", 'éAA\n'],
    ["b'ab'.size()", 2],
    ["'héé😀'.size()", 4],
    ['true ? 1 : 2', 1],
    ['1/0 == 1 || true', true],
    ['false && 1/0 == 1', false],
    ['self.x > 3', true],
    ['self.map["b-c"]', 2],
    ['self.missing', 'error: no such key: missing'],
    ['self.list[5]', 'error: index out of bounds: 5'],
    ['has(self.missing)', false],
    ['has(self.deep.inner.v)', true],
    ['self.deep.n == null', true],
    ['2 in self.list', true],
    ["'a' in self.map", true],
    ['self.list.all(v, v > 0)', true],
    ['self.list.exists(v, v > 2)', true],
    ['self.list.exists_one(v, v > 2)', true],
    ['self.list.map(v, v * 2)', [6, 2, 4]],
    ['self.list.map(v, v > 1, v * 2)', [6, 4]],
    ['self.list.filter(v, v > 1)', [3, 2]],
    ['self.map.all(k, k.size() > 0)', true],
    ['[1, 2].all(v, v / (v - 1) > 0)', 'error: division by zero'],
    ['[1, 0].exists(v, 1 / v == 1)', true],
    ['self.list.all(i, v, i < v + 3)', true],
    ['self.list.transformList(i, v, i * v)', [0, 1, 4]],
    ['self.map.transformMap(k, v, v + 1)', { a: 2, 'b-c': 3 }],
    ['self.map.transformMapEntry(k, v, {string(v): k})', { 1: 'a', 2: 'b-c' }],
    ['self.map.existsOne(k, v, v == 2)', true],
    ['self.list.sum()', 6],
    ['self.list.max() - self.list.min()', 2],
    ['[].sum()', 0],
    ['[1, 2].isSorted() && ![2, 1].isSorted()', true],
    ["self.names.lastIndexOf('a') - self.names.indexOf('a')", 2],
    ['[3, 1, 2].sort()', [1, 2, 3]],
    ['["b", "a"].sortBy(v, v)', ['a', 'b']],
    ['[1, 1, 2].distinct().size()', 2],
    ['[[1], [2, 3]].flatten()', [1, 2, 3]],
    ['lists.range(3)', [0, 1, 2]],
    ['[1, 2, 3].slice(1, 3)', [2, 3]],
    ['[1, 2].reverse()', [2, 1]],
    ['[1].first().value()', 1],
    ['sets.contains([1, 2], [2])', true],
    ['sets.intersects([1], [2])', false],
    ['sets.equivalent([1, 1], [1])', true],
    ["'%s-%d'.format(['a', 3])", 'a-3'],
    ["'%s'.format([{'a': [1, 'b']}])", '{a: [1, b]}'],
    ["'%s has %d of %.1f%%, %x'.format([dyn(s), n, 12.34, 255])", 'hello has 5 of 12.3%, ff'],
    ["'a,b,c'.split(',').join('-')", 'a-b-c'],
    ["'a,b,c'.split(',', 2)", ['a', 'b,c']],
    ["'hello'.replace('l', 'L', 1)", 'heLlo'],
    ["'ab'.replace('', '-')", '-a-b-'],
    ["'hello'.substring(1, 3) + 'hello'.charAt(4)", 'elo'],
    ["' x '.trim() + 'Ab'.lowerAscii() + 'Ab'.upperAscii()", 'xabAB'],
    ["'hello'.indexOf('l') + 'hello'.lastIndexOf('l')", 5],
    ["strings.quote('a\"b')", '"a\\"b"'],
    ["'abc 123'.find('[0-9]+')", '123'],
    ["'1 2 3'.findAll('[0-9]', 2)", ['1', '2']],
    ["'abc'.matches('^a.c$')", true],
    ["'abc'.matches(s + '(')", 'error: error parsing regexp: missing closing ): `hello(`'],
    ["url('https://a.b:80/p?x=1&x=2').getHostname()", 'a.b'],
    ["url('https://a.b:80/p?x=1&x=2').getQuery()['x']", ['1', '2']],
    ["isURL('a b')", false],
    ["ip('10.0.0.1').family()", 4],
    ["ip.isCanonical('2001:db8::0001')", false],
    ["string(ip('2001:db8:0:0::1'))", '2001:db8::1'],
    ["cidr('10.0.0.0/8').containsIP('10.1.2.3')", true],
    ["cidr('10.0.0.0/8').containsCIDR(cidr('10.1.0.0/16'))", true],
    ["string(cidr('10.1.2.3/8').masked())", '10.0.0.0/8'],
    ["isCIDR('10.0.0.0/33')", false],
    ["quantity('1Gi').isGreaterThan(quantity('1000M'))", true],
    ["quantity('1k').add(5).asInteger()", 1005],
    ["quantity('200m').asApproximateFloat()", 0.2],
    ["quantity('1') == quantity('1000m')", true],
    ["semver('1.2.3-rc.1').isLessThan(semver('1.2.3'))", true],
    ["semver('v1.02', true).minor()", 2],
    ["format.dns1123Label().validate('A b').hasValue()", true],
    [
      "format.named('uuid').value().validate('123').orValue([])",
      ['does not match the UUID format'],
    ],
    ["!format.dns1123Label().validate('ok').hasValue()", true],
    ['self.?missing.orValue(7)', 7],
    ['self.?deep.?inner.v.value()', 1.5],
    ['self.list[?9].hasValue()', false],
    ['optional.of(1) == null', false],
    ['optional.of(1).optMap(v, v + 1).value()', 2],
    ['optional.none().optMap(v, v + 1).hasValue()', false],
    ['[?self.?missing, 1]', [1]],
    ['{?"a": self.?missing, "b": 2}', { b: 2 }],
    ['optional.ofNonZeroValue("").hasValue()', false],
    ["duration('1h30m').getMinutes()", 90],
    ["timestamp('2024-02-29T12:00:00Z').getDayOfYear()", 59],
    ["timestamp('2024-02-29T23:00:00Z').getDate('Europe/Berlin')", 1],
    ["timestamp('2024-01-01T00:00:00Z') - duration('1s')", '2023-12-31T23:59:59Z'],
    ["type(1) == int && type('') == string && type([]) == list", true],
    ["type(timestamp('2024-01-01T00:00:00Z')) == google.protobuf.Timestamp", true],
    ["int('12') + int(3.9) + int('-1')", 14],
    ["string(1.0) + string(true) + string(duration('1.5s'))", '1true1.5s'],
    ["double('1e3')", 1000],
    ["dyn(1) == 'a'", false],
    ['// a comment\n n', 5],
  ])('%s', (source, want) => {
    expect(evaluate(source)).toEqual(want);
  });
});

describe('compile()', () => {
  it.each<readonly [string, string]>([
    ['x', "ERROR: <input>:1:1: undeclared reference to 'x' (in container '')\n | x\n | ^"],
    [
      "1 + 'a'",
      "ERROR: <input>:1:3: found no matching overload for '_+_' applied to '(int, string)'\n | 1 + 'a'\n | ..^",
    ],
    [
      's.foo()',
      "ERROR: <input>:1:6: undeclared reference to 'foo' (in container '')\n | s.foo()\n | .....^",
    ],
    [
      's.size(1)',
      "ERROR: <input>:1:7: found no matching overload for 'size' applied to 'string.(int)'\n | s.size(1)\n | ......^",
    ],
    ['n.foo', "ERROR: <input>:1:2: type 'int' does not support field selection\n | n.foo\n | .^"],
    [
      "[1, 'a']",
      "ERROR: <input>:1:5: expected type 'int' but found 'string'\n | [1, 'a']\n | ....^",
    ],
    [
      'n.all(x, true)',
      "ERROR: <input>:1:1: expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)\n | n.all(x, true)\n | ^",
    ],
    [
      "s.matches('(')",
      "ERROR: <input>:1:11: invalid matches argument\n | s.matches('(')\n | ..........^",
    ],
    [
      "duration('x')",
      "ERROR: <input>:1:10: invalid duration argument\n | duration('x')\n | .........^",
    ],
    ['has(n)', 'ERROR: <input>:1:5: invalid argument to has() macro\n | has(n)\n | ....^'],
    ['n && true', "ERROR: <input>:1:1: expected type 'bool' but found 'int'\n | n && true\n | ^"],
    [
      'self.map(1, 2)',
      'ERROR: <input>:1:10: argument must be a simple name\n | self.map(1, 2)\n | .........^',
    ],
  ])('refuses %s', (source, want) => {
    expect(compile(source, env).problem).toBe(want);
  });

  it('refuses what is nested too deeply', () => {
    expect(compile('('.repeat(5000), env).problem).toContain('recursion limit exceeded: 250');
  });
});

describe('the budget', () => {
  it.each([
    {
      name: 'a loop in a loop',
      source:
        'lists.range(1000).all(a, lists.range(1000).all(b, lists.range(1000).all(c, a + b + c >= 0)))',
    },
    {
      name: 'a text that doubles',
      source:
        "lists.range(1000).map(a, 'x'.replace('x', 'y')).join('')+lists.range(100000).map(a, s).join(s).replace('', s).replace('', s)",
    },
    {
      name: 'an evil pattern',
      source:
        "lists.range(10000).exists(i, lists.range(3000).map(a, 'a').join('').matches('^(a+)+b$'))",
    },
    {
      name: 'deep comparisons',
      source: 'lists.range(100000).all(i, lists.range(1000) == lists.range(1000))',
    },
    { name: 'a sort of much', source: 'lists.range(100000).sort().size() > 0' },
  ])('ends $name soon', ({ source }) => {
    const begun = process.cpuUsage();
    expect(evaluate(source)).toBe('error: operation cancelled: actual cost limit exceeded');
    expect(process.cpuUsage(begun).user / 1000).toBeLessThan(1000);
  });

  it('is charged as upstream charges', () => {
    const cost = (source: string): number =>
      compile(source, env).program?.evaluate(activation).cost ?? -1;
    expect(cost('1 + 2')).toBe(1);
    expect(cost('self.x')).toBe(2);
    expect(cost('has(self.x)')).toBe(1);
    expect(cost("s == 'hello'")).toBe(2);
    expect(cost('[1, 2, 3].all(x, x > 0)')).toBe(10 + 3 * (1 + 1 + 1 + 2) + 1);
    expect(cost('[1, 2].map(x, x)')).toBe(10 + 10 + 2 * (1 + 10 + 1 + 1) + 1);
  });
});
