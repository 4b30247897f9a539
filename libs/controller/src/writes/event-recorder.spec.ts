import { describe, expect, it } from '@jest/globals';
import { StatusError } from '@orrery/apimachinery';
import type { Event } from '@orrery/api';
import { ConnectionError } from '@orrery/client';
import type { KubeClient } from '@orrery/client';
import { SteppedClock, silentLogger } from '@orrery/component';
import { eventually } from '@orrery/testkit';
import { ApiEventRecorder } from './event-recorder.js';

const POD = { kind: 'Pod', namespace: 'ns', name: 'p', uid: 'u' };

/** A server that takes events but for the first `failures` tries. */
function setUp(failures: readonly Error[]) {
  const clock = new SteppedClock();
  const created: string[] = [];
  const waiting = [...failures];
  const create = (event: Event): Promise<Event> => {
    const failure = waiting.shift();
    if (failure) return Promise.reject(failure);
    created.push(event.message ?? '');
    return Promise.resolve(event);
  };
  const client = { resource: () => ({ create }) } as unknown as KubeClient;
  const recorder = new ApiEventRecorder({ client, component: 'c', clock, logger: silentLogger });
  const tell = (message: string): void => {
    recorder.event(POD, 'Normal', message, message);
  };
  return { clock, created, recorder, tell, left: () => waiting.length };
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

  it('tells of others after it was told too much of one', async () => {
    const { created, recorder, tell } = setUp([]);
    for (let i = 0; i < 30; i++) {
      tell(`${i}`);
      await recorder.flush();
    }
    expect(created).toHaveLength(25);
    recorder.event({ ...POD, name: 'other' }, 'Normal', 'R', 'of another');
    await recorder.flush();
    expect(created.at(-1)).toBe('of another');
  });

  it('keeps thousands while the server is slow, and does not wait for one that is gone at the end', async () => {
    const { created, recorder, tell } = setUp([unreachable()]);
    for (let i = 0; i < 3000; i++) recorder.event({ ...POD, name: `p${i}` }, 'Normal', 'R', 'm');
    tell('last');
    await recorder.flush();
    expect(created).toHaveLength(3000);
    expect(created.at(-1)).toBe('last');
  });
});
