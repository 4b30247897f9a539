import { describe, expect, it } from '@jest/globals';
import { connect } from '@orrery/client';
import { SystemClock, SystemRandom, silentLogger } from '@orrery/component';
import { InformerFactory } from '@orrery/informers';
import { eventually } from '@orrery/testing';
import { ControllerRunner } from './controller-runner.js';
import { defineController } from './definition.js';
import { LeadershipLost } from './election/leader-elector.js';
import { WriteFence } from './writes/write-fence.js';

describe('ControllerRunner', () => {
  it('lets time pass when writes are refused, and keeps the key for the next term', async () => {
    const clock = new SystemClock();
    const base = { clock, random: new SystemRandom(), logger: silentLogger };
    const client = connect({ server: 'https://127.0.0.1:1', clock });
    const informers = new InformerFactory({ ...base, client });
    const definition = defineController('test').initially({ name: 'a' }).build();
    const handled: string[] = [];
    let leads = false;
    const runner = new ControllerRunner(
      definition,
      ({ name }) => {
        if (!leads) return Promise.reject(new LeadershipLost());
        handled.push(name);
        return Promise.resolve(undefined);
      },
      { ...base, informers, fence: new WriteFence(clock) },
    );
    const first = new AbortController();
    const term = runner.run(first.signal);
    // A timer's turn comes, although the key is refused again and again.
    await clock.sleep(1);
    first.abort();
    await term;
    leads = true;
    const second = new AbortController();
    const next = runner.run(second.signal);
    await eventually(() => handled.length > 0);
    second.abort();
    await next;
    runner.close();
    await client.close();
    expect(handled).toEqual(['a']);
  });
});
