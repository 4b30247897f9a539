import { describe, expect, it } from '@jest/globals';
import { StatusError } from '@orrery/apimachinery';
import type { Event } from '@orrery/api';
import { ConnectionError } from '@orrery/client';
import type { KubeClient } from '@orrery/client';
import type { Clock } from '@orrery/component';
import { SteppedClock, silentLogger } from '@orrery/component';
import { eventually } from '@orrery/testkit';
import { ApiEventRecorder } from './event-recorder.js';

const POD = { kind: 'Pod', namespace: 'ns', name: 'p', uid: 'u' };

/** A server that takes events but for the first `failures` tries, each after `tookMs`. */
function setUp(failures: readonly Error[], tookMs = 0) {
  let now = 0;
  const lulls: { readonly ms: number; readonly over: () => void }[] = [];
  /** The machine's: time passes when the server takes it, and a lull ends when the spec says so. */
  const machine: Clock = {
    now: () => now,
    monotonic: () => now,
    after: (ms, over) => {
      lulls.push({ ms, over });
      return () => undefined;
    },
    sleep: () => Promise.resolve(),
  };
  const clock = new SteppedClock(tookMs > 0 ? machine : undefined);
  const created: string[] = [];
  const waiting = [...failures];
  const create = (event: Event): Promise<Event> => {
    const failure = waiting.shift();
    if (failure) return Promise.reject(failure);
    created.push(event.message ?? '');
    now += tookMs;
    return Promise.resolve(event);
  };
  const client = { resource: () => ({ create }) } as unknown as KubeClient;
  const recorder = new ApiEventRecorder({ client, component: 'c', clock, logger: silentLogger });
  const tell = (message: string): void => {
    recorder.event(POD, 'Normal', message, message);
  };
  return { clock, created, lulls, recorder, tell, left: () => waiting.length };
}

const unreachable = (): Error => new ConnectionError('https://server', new Error('cut'));

describe('ApiEventRecorder', () => {
  it('writes what was told while nobody answered, in its order', async () => {
    const { clock, created, left, tell } = setUp([unreachable(), unreachable()]);
    tell('one');
    tell('two');
    await eventually(async () => {
      await clock.step(10_000);
      expect(left()).toBe(0);
      expect(created).toEqual(['one', 'two']);
    });
  });

  it('drops what the server refuses', async () => {
    const { created, recorder, tell } = setUp([new StatusError(403, 'Forbidden', 'no')]);
    tell('one');
    tell('two');
    await recorder.flush();
    expect(created).toEqual(['two']);
  });

  it('keeps thousands while the server is slow, and does not wait for one that is gone at the end', async () => {
    const { created, recorder, tell } = setUp([unreachable()]);
    for (let i = 0; i < 3000; i++) recorder.event({ ...POD, name: `p${i}` }, 'Normal', 'R', 'm');
    tell('last');
    await recorder.flush();
    expect(created).toHaveLength(3000);
    expect(created.at(-1)).toBe('last');
  });

  it.each([
    { name: 'some times as long as an answer took', tookMs: 6, lullMs: 48 },
    { name: 'a tenth of a second where answers take long', tookMs: 1000, lullMs: 100 },
  ])('leaves a busy server alone for $name', async ({ tookMs, lullMs }) => {
    const { created, lulls, recorder, tell } = setUp([], tookMs);
    tell('one');
    tell('two');
    await eventually(() => {
      expect(lulls).toHaveLength(1);
    });
    expect(created).toEqual(['one']);
    expect(lulls[0]?.ms).toBe(lullMs);
    lulls[0]?.over();
    await eventually(() => {
      expect(created).toEqual(['one', 'two']);
    });
    await recorder.flush();
  });

  it('does not leave a busy server alone at the end', async () => {
    const { created, recorder, tell } = setUp([], 50);
    tell('one');
    tell('two');
    await recorder.flush();
    expect(created).toEqual(['one', 'two']);
  });
});
