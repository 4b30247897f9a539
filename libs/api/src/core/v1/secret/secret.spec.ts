import { describe, expect, it } from '@jest/globals';
import type { Refused, RefusedUpdate } from '../../../findings.fixture.js';
import { objectOf, refusals, updateRefusals } from '../../../findings.fixture.js';
import { SecretKind } from './secret.kind.js';

const of = (type: string, stringData: Record<string, string> = {}): object => ({
  type: `kubernetes.io/${type}`,
  stringData: { key: undefined, ...stringData },
});
const needed = (...keys: string[]): string[] => keys.map((key) => `data[${key}]: Required value`);
const REDACTED = 'Invalid value: "<secret contents redacted>": ';

const rows: Refused[] = [
  { name: 'tls without its keys', change: of('tls'), want: needed('tls.crt', 'tls.key') },
  { name: 'tls without one', change: of('tls', { 'tls.crt': '' }), want: needed('tls.key') },
  { name: 'ssh-auth without a key', change: of('ssh-auth'), want: needed('ssh-privatekey') },
  {
    name: 'ssh-auth with an empty key',
    change: of('ssh-auth', { 'ssh-privatekey': '' }),
    want: needed('ssh-privatekey'),
  },
  {
    name: 'basic-auth without both',
    change: of('basic-auth'),
    want: needed('username', 'password'),
  },
  { name: 'basic-auth with an empty one', change: of('basic-auth', { username: '' }), want: [] },
  { name: 'dockercfg without it', change: of('dockercfg'), want: needed('.dockercfg') },
  {
    name: 'dockerconfigjson without it',
    change: of('dockerconfigjson', { '.dockercfg': '{}' }),
    want: needed('.dockerconfigjson'),
  },
  {
    name: 'dockercfg that is no JSON',
    change: of('dockercfg', { '.dockercfg': 'x' }),
    want: [`data[.dockercfg]: ${REDACTED}invalid character 'x' looking for beginning of value`],
  },
  {
    name: 'dockercfg that is empty',
    change: of('dockercfg', { '.dockercfg': '' }),
    want: [`data[.dockercfg]: ${REDACTED}unexpected end of JSON input`],
  },
  {
    name: 'dockerconfigjson that is a list',
    change: of('dockerconfigjson', { '.dockerconfigjson': '[]' }),
    want: [
      `data[.dockerconfigjson]: ${REDACTED}json: cannot unmarshal array into Go value of type map[string]interface {}`,
    ],
  },
  {
    name: 'a token of no account',
    change: of('service-account-token'),
    want: ['metadata.annotations[kubernetes.io/service-account.name]: Required value'],
  },
  {
    name: 'a key that is none',
    change: { stringData: { '..': 'x' } },
    want: ['data[..]: Invalid value: "..": must not be \'..\''],
  },
  {
    name: 'more than a mebibyte',
    change: { stringData: { big: 'x'.repeat(1024 * 1024 + 3) } },
    want: ['data: Too long: may not be more than 1048576 bytes'],
  },
  ...['toString', 'constructor', '__proto__'].map((type) => ({
    name: `nothing, of a type named ${type}`,
    change: { type },
    want: [],
  })),
];

const updates: RefusedUpdate[] = [
  {
    name: 'another type',
    before: { type: 'a' },
    after: { type: 'b' },
    want: ['type: Invalid value: "b": field is immutable'],
  },
  {
    name: 'no type, which is Opaque',
    before: { type: 'a' },
    after: { type: undefined },
    want: ['type: Invalid value: "Opaque": field is immutable'],
  },
  {
    name: 'data of what is immutable',
    before: { immutable: true },
    after: { immutable: true, stringData: { key: 'other' } },
    want: ['data: Forbidden: field is immutable when `immutable` is set'],
  },
  {
    name: 'what is immutable to what is not',
    before: { immutable: true },
    after: {},
    want: ['immutable: Forbidden: field is immutable when `immutable` is set'],
  },
];

describe('a Secret', () => {
  it.each(rows)('is refused for $name', ({ change, want }) => {
    expect(refusals(SecretKind, change)).toEqual(want);
  });

  it.each(updates)('is not updated to $name', ({ before, after, want }) => {
    expect(updateRefusals(SecretKind, before, after)).toEqual(want);
  });

  it('may hold a mebibyte, and no more', () => {
    const used = Object.values(objectOf(SecretKind).data ?? {})
      .map((text) => Buffer.from(text, 'base64').length)
      .reduce((sum, size) => sum + size, 0);
    const data = (bytes: number): object => ({
      data: { big: Buffer.alloc(bytes - used).toString('base64') },
    });
    expect(refusals(SecretKind, data(1024 * 1024))).toEqual([]);
    expect(refusals(SecretKind, data(1024 * 1024 + 1))).toEqual([
      'data: Too long: may not be more than 1048576 bytes',
    ]);
  });

  it('keeps a text under the key __proto__', () => {
    const stringData = JSON.parse('{"__proto__":"x","b":"y"}') as Record<string, string>;
    const secret = { metadata: { name: 'x' }, stringData };
    SecretKind.setDefaults?.(secret);
    expect(JSON.stringify(secret)).toContain('"data":{"__proto__":"eA==","b":"eQ=="}');
    expect(objectOf(SecretKind).type).toBe('Opaque');
  });
});
