import { describe, expect, it } from '@jest/globals';
import type { Pod, Secret } from '@orrery/api';
import { INVALID_SINCE, LAST_USED, decideCleanUp } from './legacy-token-cleaner.decide.js';

const DAY = 86_400_000;
const NOW = Date.parse('2026-06-30T12:00:00Z');

const secret = (labels: Record<string, string> = {}): Secret => ({
  metadata: { name: 't', namespace: 'd', labels },
});
const mounting: Pod = {
  metadata: { name: 'p' },
  spec: { containers: [], volumes: [{ name: 'v', secret: { secretName: 't' } }] },
};
const account = { metadata: { name: 'a' }, secrets: [{ name: 't' }] };

describe('decideCleanUp()', () => {
  it.each([
    { name: 'marks what nobody used for the period', secret: secret(), want: 'mark' },
    {
      name: 'waits from the day on that uses are noted',
      secret: secret(),
      trackedSince: '2026-06-01',
      want: 'none',
    },
    {
      name: 'waits from the last use on',
      secret: secret({ [LAST_USED]: '2026-06-20' }),
      want: 'none',
    },
    {
      name: 'deletes what was marked for the period',
      secret: secret({ [INVALID_SINCE]: '2026-01-01' }),
      want: 'delete',
    },
    {
      name: 'waits after the mark',
      secret: secret({ [INVALID_SINCE]: '2026-06-20' }),
      want: 'none',
    },
    { name: 'leaves what a pod mounts', secret: secret(), pods: [mounting], want: 'none' },
    {
      name: 'leaves what a user made',
      secret: secret(),
      account: { metadata: { name: 'a' } },
      want: 'none',
    },
    {
      name: 'leaves what belongs to nobody',
      secret: secret(),
      account: undefined,
      isOrphan: true,
      want: 'none',
    },
    {
      name: 'leaves a token whose last use cannot be read',
      secret: secret({ [LAST_USED]: 'x' }),
      want: 'none',
    },
  ])('$name', ({ isOrphan, want, ...given }) => {
    const act = decideCleanUp({
      account: isOrphan ? undefined : (given.account ?? account),
      secret: given.secret,
      pods: given.pods ?? [],
      trackedSince: given.trackedSince ?? '2026-01-01',
      periodMs: 60 * DAY,
      now: NOW,
    });
    expect(act).toBe(want);
  });
});
