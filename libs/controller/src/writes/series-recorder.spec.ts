import { describe, expect, it } from '@jest/globals';
import { StatusError } from '@orrery/apimachinery';
import { ConnectionError } from '@orrery/client';
import type { KubeClient } from '@orrery/client';
import { SteppedClock, silentLogger } from '@orrery/component';
import { eventually } from '@orrery/testkit';
import { SeriesRecorder } from './series-recorder.js';
import type { ActionReport } from './series-recorder.js';

type Stored = Record<string, unknown> & { series?: { count: number } };

const POD = { kind: 'Pod', namespace: 'ns', name: 'p', uid: 'u', resourceVersion: '7' };
const WAITS: ActionReport = {
  regarding: POD,
  type: 'Warning',
  reason: 'FailedScheduling',
  action: 'Scheduling',
  note: '0/1 nodes are available',
};

const MICRO_TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}000Z$/);

/** A server with the events it has, in their order; the first calls fail as `failures` say. */
function setUp(failures: readonly Error[] = []) {
  const clock = new SteppedClock();
  const stored = new Map<string, Stored>();
  const waiting = [...failures];
  const call = <T>(answer: () => T): Promise<T> => {
    const failure = waiting.shift();
    return failure ? Promise.reject(failure) : Promise.resolve(answer());
  };
  const client = {
    resource: () => ({
      create: (event: { metadata: { name: string } }) =>
        call(() => stored.set(event.metadata.name, event as unknown as Stored)),
      patch: ({ name }: { name: string }, _: string, patch: Stored) => {
        const event = stored.get(name);
        if (!event) return Promise.reject(new StatusError(404, 'NotFound', 'no such event'));
        return call(() => Object.assign(event, patch));
      },
    }),
  } as unknown as KubeClient;
  const options = { client, controller: 'default-scheduler', host: 'h', clock };
  const recorder = new SeriesRecorder({ ...options, logger: silentLogger });
  const events = (): Stored[] => [...stored.values()];
  const told = async (report: Partial<ActionReport> = {}): Promise<Stored[]> => {
    recorder.report({ ...WAITS, ...report });
    await recorder.flush();
    return events();
  };
  return { clock, stored, recorder, told, events };
}

describe(SeriesRecorder.name, () => {
  it('writes what upstream writes of an action', async () => {
    const { told } = setUp();
    expect(await told({ related: { ...POD, name: 'q' } })).toEqual([
      {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { name: expect.stringMatching(/^p\.[0-9a-f]{16}$/), namespace: 'ns' },
        eventTime: MICRO_TIME,
        reportingController: 'default-scheduler',
        reportingInstance: 'default-scheduler-h',
        action: 'Scheduling',
        reason: 'FailedScheduling',
        regarding: POD,
        related: { ...POD, name: 'q' },
        note: '0/1 nodes are available',
        type: 'Warning',
      },
    ]);
  });

  it('makes a series of a repeat, and counts further ones until six minutes have passed without one', async () => {
    const { clock, told, events } = setUp();
    await told();
    await clock.step(1000);
    expect((await told()).map(({ series }) => series)).toEqual([
      { count: 2, lastObservedTime: MICRO_TIME },
    ]);
    await clock.step(1000);
    await told();
    expect((await told())[0]?.series?.count).toBe(2);
    await clock.step(720_000);
    await eventually(() => {
      expect(events().map(({ series }) => series)).toEqual([
        { count: 4, lastObservedTime: MICRO_TIME },
      ]);
    });
    expect(await told()).toHaveLength(2);
  });

  it('begins anew six minutes after one that was not told again', async () => {
    const { clock, told } = setUp();
    await told();
    await clock.step(720_000);
    expect((await told()).map(({ series }) => series)).toEqual([undefined, undefined]);
  });

  it('keeps the event of a long series alive', async () => {
    const { clock, stored, told, events } = setUp();
    await told();
    await told();
    stored.clear();
    for (let minutes = 0; minutes < 31; minutes += 5) {
      await clock.step(300_000);
      await told();
    }
    await eventually(() => {
      expect(events().map(({ series }) => series?.count)).toEqual([7]);
    });
  });

  it.each<{ name: string; other: Partial<ActionReport> }>([
    { name: 'of another state', other: { regarding: { ...POD, resourceVersion: '8' } } },
    { name: 'of another action', other: { action: 'Binding' } },
    { name: 'of another reason', other: { reason: 'Other' } },
    { name: 'of another related object', other: { related: POD } },
  ])('takes one $name for another event', async ({ other }) => {
    const { told } = setUp();
    await told();
    expect(await told(other)).toHaveLength(2);
  });

  it('takes another note for the same event', async () => {
    const { told } = setUp();
    await told();
    expect(await told({ note: 'other' })).toMatchObject([{ note: WAITS.note }]);
  });

  it('makes the event of a series that is gone again, with its count', async () => {
    const { stored, told } = setUp();
    await told();
    stored.clear();
    expect(await told()).toMatchObject([{ note: WAITS.note, series: { count: 2 } }]);
  });

  it('cuts notes that are too long', async () => {
    const { told } = setUp();
    const [event] = await told({ note: 'x'.repeat(2000) });
    expect(event?.['note']).toBe(`${'x'.repeat(1020)} ...`);
  });

  it('drops what the server refuses and tries again when nobody answered', async () => {
    const refused = new StatusError(403, 'Forbidden', 'no');
    const cut = new ConnectionError('https://server', new Error('cut'));
    const { clock, recorder, events } = setUp([refused, cut]);
    recorder.report(WAITS);
    recorder.report({ ...WAITS, reason: 'Two' });
    await eventually(async () => {
      await clock.step(10_000);
      expect(events().map(({ reason }) => reason)).toEqual(['Two']);
    });
  });
});
