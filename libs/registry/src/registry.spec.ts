import { describe, expect, it } from '@jest/globals';
import { decodeContinue, encodeContinue } from './continue-token.js';
import { cloneJson, equalJson } from './json.js';
import {
  candidates,
  firstServiceIp,
  isUsable,
  parseIpRange,
} from './service-allocation/ip-range.js';

const random = { next: () => 0.5, uuid: () => 'uid' };

describe('decodeContinue()', () => {
  it('reads what encodeContinue wrote, in the form of upstream', () => {
    const token = encodeContinue({ revision: 7, after: 'ns/a' });
    expect(Buffer.from(token, 'base64url').toString()).toBe(
      '{"v":"meta.k8s.io/v1","rv":7,"start":"ns/a\\u0000"}',
    );
    expect(decodeContinue(token)).toEqual({ revision: 7, after: 'ns/a' });
    expect(() => decodeContinue(token, 'fork')).toThrow(/another logical cluster/);
    const inner = encodeContinue({ revision: 7, after: 'ns/a', cluster: 'fork' });
    expect(decodeContinue(inner, 'fork')).toMatchObject({ after: 'ns/a', cluster: 'fork' });
    for (const other of [undefined, 'other'])
      expect(() => decodeContinue(inner, other)).toThrow(/another logical cluster/);
  });

  it.each([
    { name: 'garbage', text: '!!' },
    { name: 'another version', text: Buffer.from('{"v":"x"}').toString('base64url') },
    {
      name: 'a key that climbs',
      text: Buffer.from('{"v":"meta.k8s.io/v1","rv":1,"start":"../x"}').toString('base64url'),
    },
  ])('refuses $name', ({ text }) => {
    expect(() => decodeContinue(text)).toThrow(
      /^invalid continue token: continue key is not valid: |^$/,
    );
  });
});

describe('equalJson()', () => {
  it.each([
    { name: 'the order of keys', a: { x: 1, y: 2 }, b: { y: 2, x: 1 }, want: true },
    { name: 'undefined fields', a: { x: 1, y: undefined }, b: { x: 1 }, want: true },
    { name: 'nested values', a: { x: [{ y: 1 }] }, b: { x: [{ y: 2 }] }, want: false },
    { name: 'lists and objects', a: [], b: {}, want: false },
  ])('judges $name', ({ a, b, want }) => {
    expect(equalJson(a, b)).toBe(want);
    expect(equalJson(b, a)).toBe(want);
  });
});

describe('cloneJson()', () => {
  it('shares nothing', () => {
    const value = { a: [{ b: 1 }] };
    const copy = cloneJson(value);
    copy.a[0] = { b: 2 };
    expect(value).toEqual({ a: [{ b: 1 }] });
  });
});

describe('candidates()', () => {
  it('tries every usable address once, fixed ones last', () => {
    const range = parseIpRange('10.0.0.0/27');
    expect(range).toBeDefined();
    const all = range ? [...candidates(range, random)] : [];
    expect(new Set(all).size).toBe(30);
    expect(all.at(-1)).toBe('10.0.0.16');
    expect(range && all.every((ip) => isUsable(range, ip))).toBe(true);
    expect(firstServiceIp('10.0.0.0/27')).toBe('10.0.0.1');
  });

  it('does so for IPv6, which has no broadcast address', () => {
    const range = parseIpRange('fd00:10:96::/123');
    const all = range ? [...candidates(range, random)] : [];
    expect(new Set(all).size).toBe(31);
    expect(all).toContain('fd00:10:96::1f');
    expect(range && all.every((ip) => isUsable(range, ip))).toBe(true);
    expect(firstServiceIp('fd00:10:96::/108,10.0.0.0/27')).toBe('fd00:10:96::1');
    expect(range && isUsable(range, '10.0.0.1')).toBe(false);
  });
});
