import { describe, expect, it } from '@jest/globals';
import type { Pod, Secret, ServiceAccount } from '@orrery/api';
import { decideCleanUp } from './legacy-token-cleaner.decide.js';
import { decideToken } from './token-secret.decide.js';

const b64 = (text: string): string => Buffer.from(text).toString('base64');
const account: ServiceAccount = { metadata: { name: 'a', namespace: 'n', uid: 'u' } };

const secret = (data: Record<string, string>, uid?: string, more: object = {}): Secret => ({
  metadata: {
    name: 's',
    namespace: 'n',
    annotations: {
      'kubernetes.io/service-account.name': 'a',
      ...(uid ? { 'kubernetes.io/service-account.uid': uid } : {}),
    },
    ...more,
  },
  data,
});

const whole = { token: 't', namespace: b64('n'), 'ca.crt': b64('CA') };

describe('decideToken()', () => {
  it.each([
    { name: 'is left alone when it is whole', given: secret(whole, 'u'), want: { act: 'none' } },
    { name: 'is filled when it is empty', given: secret({}), want: { act: 'fill', token: true } },
    {
      name: 'keeps its token when the CA is new',
      given: secret({ ...whole, 'ca.crt': 'old' }, 'u'),
      want: { act: 'fill', token: false },
    },
    { name: 'gets the uid', given: secret(whole), want: { act: 'fill', token: false } },
    {
      name: 'goes when the account is another',
      given: secret(whole, 'other'),
      want: { act: 'delete' },
    },
    {
      name: 'goes when the account is gone',
      given: secret(whole, 'u'),
      gone: true,
      want: { act: 'delete' },
    },
    {
      name: 'is left alone while it goes',
      given: secret({}, 'u', { deletionTimestamp: 't' }),
      want: { act: 'none' },
    },
  ])('$name', ({ given, gone, want }) => {
    expect(decideToken(given, gone ? undefined : account, 'CA')).toMatchObject(want);
  });
});

describe('decideCleanUp()', () => {
  const NOW = Date.parse('2026-06-01T00:00:00Z');
  const listed: ServiceAccount = { ...account, secrets: [{ name: 's' }] };
  const labels = (lastUsed?: string, invalid?: string): Secret =>
    secret({}, 'u', {
      labels: {
        ...(lastUsed ? { 'kubernetes.io/legacy-token-last-used': lastUsed } : {}),
        ...(invalid ? { 'kubernetes.io/legacy-token-invalid-since': invalid } : {}),
      },
    });
  const mounting = {
    spec: { containers: [], volumes: [{ name: 'v', secret: { secretName: 's' } }] },
  };
  it.each([
    { name: 'marks what was not used', given: labels('2026-01-01'), want: 'mark' },
    {
      name: 'counts from the start of tracking',
      given: labels(),
      since: '2026-01-01',
      want: 'mark',
    },
    { name: 'waits for the period', given: labels('2026-05-20'), want: 'none' },
    { name: 'waits another period', given: labels('2026-01-01', '2026-05-20'), want: 'none' },
    { name: 'then deletes', given: labels('2026-01-01', '2026-03-01'), want: 'delete' },
    { name: 'leaves what users made', given: labels('2026-01-01'), by: account, want: 'none' },
    { name: 'leaves what pods mount', given: labels('2026-01-01'), pods: [mounting], want: 'none' },
  ])('$name', ({ given, since = '2026-05-01', by = listed, pods = [], want }) => {
    const found = decideCleanUp({
      secret: given,
      account: by,
      pods: pods as unknown as Pod[],
      trackedSince: since,
      periodMs: 30 * 86_400_000,
      now: NOW,
    });
    expect(found).toBe(want);
  });
});
