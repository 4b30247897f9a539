import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SystemClock } from '@orrery/component';
import type { Clock } from '@orrery/component';
import { eventually, useEtcd } from '@orrery/testkit';
import { startReplica } from '../replica.js';
import type { Replica } from '../replica.js';

const CONFIGMAPS = '/api/v1/namespaces/default/configmaps';
/** Only watches wait for so long (--min-request-timeout=1h). */
const LONG_MS = 3_600_000;

/** Counts the waits of watches for their end. */
class CountingClock extends SystemClock {
  waits = 0;

  override after: Clock['after'] = (ms, fn) => {
    const cancel = new SystemClock().after(ms, fn);
    if (ms < LONG_MS) return cancel;
    this.waits += 1;
    let isOpen = true;
    return () => {
      if (isOpen) this.waits -= 1;
      isOpen = false;
      cancel();
    };
  };
}

describe('watches that are refused', () => {
  const etcd = useEtcd();
  const clock = new CountingClock();
  let server: Replica;

  beforeAll(async () => {
    server = await startReplica({
      etcd: etcd.endpoints,
      keyspace: etcd.keyspace,
      clock,
      flags: ['--min-request-timeout=3600'],
    });
  });
  afterAll(() => server.close());

  it('are told apart from those that run, by the clock of this test', async () => {
    const watch = await server.watch(`${CONFIGMAPS}?watch=true`);
    expect(clock.waits).toBe(1);
    watch.response.destroy();
    await eventually(() => {
      expect(clock.waits).toBe(0);
    });
  });

  it.each(['fieldSelector=x', 'labelSelector=,', 'resourceVersion=x', 'sendInitialEvents=true'])(
    'hold nothing: %s',
    async (query) => {
      const { status } = await server.ask(`${CONFIGMAPS}?watch=true&${query}`);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(clock.waits).toBe(0);
    },
  );
});
