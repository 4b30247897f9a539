import { describe, expect, it } from '@jest/globals';
import type { Event } from '@orrery/api';
import { SteppedClock } from '@orrery/component';
import { EventCorrelator } from './event-correlator.js';

let serial = 0;

const event = (message: string, more: Partial<Event> = {}): Event =>
  ({
    metadata: { name: `p.${++serial}`, namespace: 'ns' },
    involvedObject: { kind: 'Pod', namespace: 'ns', name: 'p', uid: 'u' },
    source: { component: 'c' },
    type: 'Normal',
    reason: 'R',
    message,
    count: 1,
    ...more,
  }) as Event;

/** Tells an event, and the server takes what comes of it. */
function teller(clock = new SteppedClock()) {
  const correlator = new EventCorrelator(clock);
  const tell = (wanted: Event): Event | undefined => {
    const verdict = correlator.correlate(wanted);
    if (!verdict) return undefined;
    const { event: told, previous } = verdict;
    const name = previous?.name ?? told.metadata.name ?? '';
    const stored = { ...told, metadata: { ...told.metadata, name } };
    correlator.written(stored);
    return stored;
  };
  return { clock, tell };
}

describe('EventCorrelator', () => {
  it('raises the count of the first event by its repeats', () => {
    const { tell } = teller();
    const first = tell(event('same'));
    const again = tell(event('same'));
    expect([again?.metadata.name, again?.count]).toEqual([first?.metadata.name, 2]);
  });

  it('combines the tenth of similar events and those after it into one', () => {
    const { tell } = teller();
    const told = Array.from({ length: 12 }, (_, i) => tell(event(`text ${i}`)));
    expect(told.slice(7).map((one) => [one?.message, one?.count])).toEqual([
      ['text 7', 1],
      ['text 8', 1],
      ['(combined from similar events): text 9', 1],
      ['(combined from similar events): text 10', 2],
      ['(combined from similar events): text 11', 3],
    ]);
    expect(told[11]?.metadata.name).toBe(told[9]?.metadata.name);
  });

  it('begins anew ten minutes after the last similar event', async () => {
    const { clock, tell } = teller();
    for (let i = 0; i < 10; i++) tell(event(`text ${i}`));
    await clock.step(600_001);
    expect(tell(event('text 10'))?.message).toBe('text 10');
  });

  it('tells 25 events of an object at once and then one each five minutes, and counts the others', async () => {
    const { clock, tell } = teller();
    const told = Array.from({ length: 30 }, () => tell(event('same')));
    expect(told.map((one) => one?.count)).toEqual([
      ...Array.from({ length: 25 }, (_, i) => i + 1),
      ...Array.from({ length: 5 }, () => undefined),
    ]);
    await clock.step(300_001);
    expect(tell(event('same'))?.count).toBe(31);
    expect(tell(event('same'))).toBeUndefined();
  });

  it('limits all parts of an object together, but no other object and no other source', () => {
    const { tell } = teller();
    const part = (fieldPath: string, name = 'p'): Partial<Event> => ({
      involvedObject: { kind: 'Pod', namespace: 'ns', name, uid: name, fieldPath },
    });
    for (let i = 0; i < 25; i++) tell(event('same', part('spec.containers{a}')));
    expect(tell(event('same', part('spec.containers{b}')))).toBeUndefined();
    expect(tell(event('same', part('spec.containers{b}', 'q')))).toBeDefined();
    expect(tell(event('same', { ...part('x'), source: { component: 'd' } }))).toBeDefined();
  });
});
