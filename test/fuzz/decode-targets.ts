import fc from 'fast-check';
import {
  ProtobufCodec,
  decodeJson,
  decodeYaml,
  encodeYaml,
  parseFieldSelector,
  parseLabelSelector,
} from '@orrery/apimachinery';
import { kinds, protobufDescriptor, schemaRegistry } from '@orrery/api';
import { negotiate, parseAccept } from '../../apps/apiserver/src/negotiation/accept.js';
import { parseRequestInfo } from '../../apps/apiserver/src/filters/request-info.js';
import { objectsOf } from '../../libs/api/src/objects-of.fixture.js';
import { decodeContinue, encodeContinue } from '../../libs/registry/src/continue-token.js';
import { must, refusable, soup, target, values } from './target.js';
import type { Target } from './target.js';

const codec = new ProtobufCodec(protobufDescriptor(), schemaRegistry());

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const JSON_PIECES =
  '{ } [ ] : , " \\ "a" "b":1 {"a": null true 1e9 -0 1.5 "__proto__" \\u0000 \\ud800 "\\n" \n \t'.split(
    ' ',
  );

const YAML_PIECES = [
  ...'a b : - ? | > & * ! !! !!str !!int !!binary !!omap %TAG %YAML --- ... << *a &a "x" [ ] { } , # 0x1F 0o7 017 1_000 .inf .nan ~ null yes'.split(
    ' ',
  ),
  '\n',
  '\n  ',
  '\n- ',
  ': ',
  ' ',
  '\t',
  'a: ',
  '- ',
  'no',
  '"',
  "'",
  '1e3',
  '2001-01-01',
  '\u2028',
];

/** Bytes of an object of any kind, and then some of them changed, cut or said twice. */
const messages = fc
  .constantFrom(...kinds)
  .chain((kind) => objectsOf(kind))
  .map((object) => codec.encode(object));
const broken = fc
  .tuple(
    messages,
    fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }),
    fc.option(fc.nat()),
    fc.option(fc.tuple(fc.nat(), fc.nat({ max: 40 }))),
  )
  .map(([bytes, changes, cut, again]) => {
    const copy = Buffer.from(bytes);
    for (const [at, value] of changes) copy[4 + (at % Math.max(1, copy.length - 4))] = value;
    const whole = cut === null ? copy : copy.subarray(0, 4 + (cut % copy.length));
    if (again === null) return whole;
    const from = again[0] % Math.max(1, whole.length);
    return Buffer.concat([whole, whole.subarray(from, from + again[1])]);
  });

const SELECTOR_PIECES = [
  ...'a b a/b x.y/z = == != ! in notin ( ) , < > 1 -1 exists'.split(' '),
  ' in (',
  ' notin (',
  ' ',
  'a=b',
  '_',
  '.',
];
const labels = fc.dictionary(fc.constantFrom('a', 'b', 'a/b'), fc.constantFrom('', 'b', '1', 'x'));

const URL_PIECES = [
  ...'api apis v1 apps namespaces default pods a status exec proxy watch at forks .. . %2f %00 % ? & = #'.split(
    ' ',
  ),
  '/',
  '//',
  '/',
];

const tokens = fc
  .record({
    v: fc.constantFrom('meta.k8s.io/v1', ''),
    rv: fc.oneof(fc.integer(), fc.string()),
    start: fc.string(),
  })
  .map((token) => Buffer.from(JSON.stringify(token)).toString('base64url'));

export const decodeTargets: readonly Target[] = [
  target(
    'JSON',
    fc.oneof(
      soup(JSON_PIECES),
      fc.json(),
      values.map((v) => JSON.stringify(v)),
    ),
    (text) => {
      const decoded = refusable(() => decodeJson(text, { findDuplicates: true }));
      let plain: { value: unknown } | undefined;
      try {
        plain = { value: JSON.parse(text) as unknown };
      } catch {
        plain = undefined;
      }
      must(
        (decoded === undefined) === (plain === undefined),
        'refuses what is no JSON, and nothing else',
      );
      if (decoded && plain) must(same(decoded.value, plain.value), 'reads what JSON.parse reads');
    },
  ),
  target('YAML', soup(YAML_PIECES), (text) => {
    const decoded = refusable(() => decodeYaml(text));
    if (!decoded) return;
    const asJson = JSON.stringify(decoded.value) ?? 'null';
    must(asJson.length <= 40 * (text.length + 10), 'makes no more than the text says');
    const again = decodeYaml(encodeYaml(decoded.value)).value;
    must(
      same(decodeJson(asJson).value, JSON.parse(JSON.stringify(sorted(again)) ?? 'null')) ||
        same(sorted(decodeJson(asJson).value), sorted(again)),
      'comes back from YAML',
    );
  }),
  target('YAML of values', values, (value) => {
    const plain = JSON.parse(JSON.stringify(value)) as unknown;
    must(same(sorted(decodeYaml(encodeYaml(plain)).value), sorted(plain)), 'comes back from YAML');
  }),
  target('protobuf', broken, (bytes) => {
    const decoded = refusable(() => codec.decode(bytes));
    if (!decoded) return;
    const once = refusable(() => codec.encode(decoded.object));
    if (!once) return;
    const there = codec.decode(once).object;
    must(codec.encode(there).equals(once), 'comes back from protobuf');
  }),
  target(
    'protobuf of noise',
    fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.concat([Buffer.from('k8s\0'), bytes])),
    (bytes) => refusable(() => codec.decode(bytes)),
  ),
  target('label selectors', fc.tuple(soup(SELECTOR_PIECES, 10), labels), ([text, have]) => {
    const selector = parsed(() => parseLabelSelector(text));
    if (selector) must(typeof selector.matches(have) === 'boolean', 'matches or does not');
  }),
  target('field selectors', fc.tuple(soup(SELECTOR_PIECES, 10), labels), ([text, have]) => {
    const selector = parsed(() => parseFieldSelector(text));
    if (selector) must(typeof selector.matches(have) === 'boolean', 'matches or does not');
  }),
  target('continue tokens', fc.oneof(tokens, fc.string(), fc.base64String()), (text) => {
    const token = refusable(() => decodeContinue(text));
    if (token) must(same(decodeContinue(encodeContinue(token)), token), 'comes back');
  }),
  target(
    'Accept',
    soup(
      'application/json application/yaml */* ; , = as=Table v=v1 g=meta.k8s.io q=0.5 q=x " text/plain'.split(
        ' ',
      ),
      10,
    ),
    (accept) => {
      parseAccept(accept);
      const query = new URLSearchParams();
      const offered = ['json', 'yaml', 'protobuf'] as const;
      refusable(() => negotiate({ accept, userAgent: '', query, offered, transformable: true }));
    },
  ),
  target(
    'URLs',
    fc.tuple(fc.constantFrom('GET', 'POST', 'DELETE'), soup(URL_PIECES, 12)),
    ([method, path]) => {
      refusable(() => parseRequestInfo(method, `/${path}`, new URLSearchParams(path)));
    },
  ),
];

/** Selectors are refused with a plain Error, whose text the server passes on. */
function parsed<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    const isOurs = error instanceof Error && !(error instanceof RangeError);
    must(isOurs && !/undefined|is not a function|Cannot read/.test(error.message), String(error));
    return undefined;
  }
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const made: Record<string, unknown> = {};
  for (const key of Object.keys(value).sort())
    Object.defineProperty(made, key, {
      value: sorted((value as Record<string, unknown>)[key]),
      enumerable: true,
    });
  return made;
}
