import { describe, expect, it } from '@jest/globals';
import type { Secret } from '@orrery/api';
import { TOKEN_TYPE, isExpired, signedData } from './bootstrap-token.decide.js';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const FIELDS = {
  'token-id': 'abcdef',
  'token-secret': 'secret',
  'usage-bootstrap-signing': 'true',
};

const token = (
  fields: Readonly<Record<string, string>>,
  name = 'bootstrap-token-abcdef',
): Secret => ({
  metadata: { name, namespace: 'kube-system' },
  type: TOKEN_TYPE,
  data: Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
  ),
});

describe('isExpired()', () => {
  it.each([
    { name: 'never without a time', expiration: '', want: false },
    { name: 'not before it', expiration: '2026-01-01T00:00:01Z', want: false },
    { name: 'at it', expiration: '2026-01-01T00:00:00Z', want: true },
    { name: 'when it cannot be read', expiration: 'soon', want: true },
  ])('$name', ({ expiration, want }) => {
    expect(isExpired(token({ ...FIELDS, expiration }), NOW)).toBe(want);
  });
});

describe('signedData()', () => {
  const map = { data: { kubeconfig: 'text', 'jws-kubeconfig-oldold': 'old', other: 'kept' } };

  it.each([
    {
      name: 'signs with a token and drops what others signed',
      secrets: [token(FIELDS)],
      signed: ['abcdef'],
    },
    {
      name: 'does not sign with a token that may not',
      secrets: [token({ ...FIELDS, 'usage-bootstrap-signing': 'false' })],
      signed: [],
    },
    {
      name: 'does not sign with a token that has run out',
      secrets: [token({ ...FIELDS, expiration: '2025-01-01T00:00:00Z' })],
      signed: [],
    },
    {
      name: 'does not sign with a Secret of another name than its id',
      secrets: [token(FIELDS, 'bootstrap-token-zzzzzz')],
      signed: [],
    },
    {
      name: 'does not sign with a Secret of another type',
      secrets: [{ ...token(FIELDS), type: 'Opaque' }],
      signed: [],
    },
  ])('$name', ({ secrets, signed }) => {
    const data = signedData({ metadata: {}, ...map }, secrets, NOW) ?? {};
    expect(Object.keys(data)).toEqual([
      'kubeconfig',
      'other',
      ...signed.map((id) => `jws-kubeconfig-${id}`),
    ]);
  });

  it('has nothing to sign without a kubeconfig', () => {
    expect(signedData({ metadata: {}, data: {} }, [token(FIELDS)], NOW)).toBeUndefined();
  });
});
