import { describe, expect, it } from '@jest/globals';
import { SteppedClock } from '@orrery/component';
import { isOutcomeUnknown } from '../storage-error.js';
import { FreshnessGate } from './freshness-gate.js';
import { RevisionBarrier } from './revision-barrier.js';

describe('a reader that waits for memory', () => {
  it('gives up on a watch that never catches up, and does not speak of a write', async () => {
    const clock = new SteppedClock();
    const gate = new FreshnessGate({
      clock,
      state: { revision: 5 },
      barrier: new RevisionBarrier(() => Promise.resolve(9)),
      onLag: () => undefined,
      onReturn: () => undefined,
    });
    const refused = gate
      .wait({ kind: 'consistent' }, 'list /registry/pods/')
      .catch((e: unknown) => e);
    for (let second = 0; second < 8; second++) await clock.step(1_000);
    const error = await refused;
    expect(error).toMatchObject({
      code: 'timeout',
      message: 'list /registry/pods/: the watch cache is at 5, etcd at 9',
    });
    expect(isOutcomeUnknown(error)).toBe(false);
  });
});
