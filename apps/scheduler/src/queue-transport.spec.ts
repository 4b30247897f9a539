import { describe, expect, it } from '@jest/globals';
import { SystemClock, silentLogger } from '@orrery/component';
import { eventually } from '@orrery/testkit';
import { QueueTransport, SCHEDULE_POD } from './queue-transport.js';
import type { QueueTransportOptions, ScheduleMessage } from './queue-transport.js';

/** A transport over a queue of `pods` names, whose decisions are written when the test says so. */
function transportOf(pods: string[], maxInFlight: number) {
  const open: (() => void)[] = [];
  const decided: string[] = [];
  const clock = new SystemClock();
  const options = {
    queue: {
      pop: async () => {
        const name = pods.shift();
        return name === undefined ? undefined : { info: { name } };
      },
    },
    informers: { start: async () => undefined, waitForSync: async () => undefined },
    whileLeading: (signal: AbortSignal, lead: (term: AbortSignal) => Promise<void>) => lead(signal),
    everySecond: () => undefined,
    maxInFlight,
    clock,
    logger: silentLogger,
  } as unknown as QueueTransportOptions;
  const transport = new QueueTransport(options);
  transport.addHandler(SCHEDULE_POD, (async (message: ScheduleMessage) => {
    decided.push(message.pod.info.name);
    message.written = new Promise((resolve) => open.push(resolve));
  }) as never);
  transport.listen((error) => {
    if (error !== undefined) throw error;
  });
  return { decided, open, transport };
}

describe('QueueTransport', () => {
  it('decides for no further pod while so many decisions are being written, and goes on with each that is', async () => {
    const { decided, open, transport } = transportOf(['a', 'b', 'c', 'd'], 2);
    await eventually(() => {
      expect(open).toHaveLength(2);
    });
    expect(decided).toEqual(['a', 'b']);
    open[1]?.();
    await eventually(() => {
      expect(decided).toEqual(['a', 'b', 'c']);
    });
    open[0]?.();
    await eventually(() => {
      expect(decided).toEqual(['a', 'b', 'c', 'd']);
    });
    for (const write of open) write();
    await transport.close();
  });
});
