import { describe, expect, it } from '@jest/globals';
import type { Pin, RetentionNotice } from '@orrery/storage';
import { quotaIn } from '../config/etcd-quota.js';
import { tell } from './keep-history.js';
import { parseMoment } from './moment.js';
import type { Moment } from './moment.js';

const NOW = Date.parse('2026-03-04T05:06:07.800Z');

describe('parseMoment()', () => {
  it.each<{ text: string; want: Moment }>([
    { text: '41', want: { kind: 'revision', revision: 41 } },
    { text: '2026-01-02T03:04:05Z', want: { kind: 'time', time: 1767323045000 } },
    { text: '2026-01-02T04:04:05+01:00', want: { kind: 'time', time: 1767323045000 } },
    { text: '2026-01-02T03:04:05.250z', want: { kind: 'time', time: 1767323045250 } },
    { text: '-5m', want: { kind: 'time', time: Date.parse('2026-03-04T05:01:07Z') } },
    { text: '-1h30m', want: { kind: 'time', time: Date.parse('2026-03-04T03:36:07Z') } },
  ])('reads $text', ({ text, want }) => {
    expect(parseMoment(text, NOW)).toEqual(want);
  });

  it.each([
    '',
    '0',
    '-',
    '5m',
    '-5',
    '1e3',
    '2026-01-02',
    '2026-13-45T99:99:99Z',
    '99999999999999999',
  ])('refuses %j', (text) => {
    expect(() => parseMoment(text, NOW)).toThrow(/is no moment of the past/);
  });
});

const pin: Pin = { id: 'fork-1', owner: 'fork x', revision: 41, time: 0, modRevision: 50 };

describe('tell()', () => {
  it.each<{ notice: RetentionNotice; want: object }>([
    { notice: { kind: 'compacted', revision: 7, short: false }, want: {} },
    {
      notice: { kind: 'compacted', revision: 7, short: true },
      want: { reason: 'HistoryShortened' },
    },
    { notice: { kind: 'ended', pin }, want: {} },
    {
      notice: { kind: 'held', pin },
      want: {
        type: 'Normal',
        reason: 'HistoryHeld',
        message: 'history older than 24h is kept: fork x (pin fork-1, revision 41) needs it',
      },
    },
    { notice: { kind: 'lost', pin }, want: { type: 'Warning', reason: 'HistoryPinLost' } },
    { notice: { kind: 'expired', pin }, want: { type: 'Warning', reason: 'HistoryPinExpired' } },
    {
      notice: { kind: 'full', space: { inUse: 3, quota: 4 } },
      want: { reason: 'HistoryCannotShrink' },
    },
  ])('words $notice.kind', ({ notice, want }) => {
    expect(tell(notice, '24h') ?? {}).toMatchObject(want);
  });
});

describe('quotaIn()', () => {
  it('finds the quota among the metrics', () => {
    const metrics =
      '# TYPE etcd_server_quota_backend_bytes gauge\netcd_server_quota_backend_bytes 8.589934592e+09\n';
    expect(quotaIn(metrics)).toBe(8 * 1024 ** 3);
    expect(quotaIn('')).toBeUndefined();
  });
});
