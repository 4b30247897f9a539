import type { Random } from '@orrery/component';
import type { InformerRecord, InformerStep } from '../history/informer-record.js';
import type { Labels, ObjectVersion } from '../history/object-version.js';
import type { WatchRecord, WatchResponse } from '../history/watch-record.js';
import type { EventQueue } from './event-queue.js';
import { chance, pickNumber } from './seeded-random.js';
import type { SimulatedStore } from './simulated-store.js';
import { SimulatedStream } from './simulated-stream.js';

export interface ObserverWorld {
  readonly queue: EventQueue;
  readonly store: SimulatedStore;
  readonly random: Random;
  /** Time between two looks at the store, in nanoseconds. */
  readonly interval: number;
  /** True once the clients are done and nothing more will be written. */
  readonly isQuiet: () => boolean;
}

export interface ObserverSettings {
  readonly name: string;
  readonly scope: string;
  readonly selector?: Labels;
}

/** Opens one watch after the other, resumes where the last ended, now and then from an older revision or with initial events. */
export function startWatcher(
  settings: ObserverSettings,
  world: ObserverWorld,
  record: (watch: WatchRecord) => void,
): void {
  const { queue, store, random, interval, isQuiet } = world;
  const { name, scope, selector } = settings;
  let id = 0;
  const open = (resumeAt: number | undefined): void => {
    const opened = queue.now;
    const responses: WatchResponse[] = [];
    const isResumed = resumeAt !== undefined && resumeAt > 0;
    const stream = new SimulatedStream(store, scope, selector, isResumed ? resumeAt : store.rv);
    if (!isResumed) responses.push(...initialEvents(stream.state(), stream.rv));
    const request = isResumed ? { rv: resumeAt } : { sendInitialEvents: true as const };
    const close = (drainedTo?: number): void => {
      const end = { closed: queue.now, ...(drainedTo === undefined ? {} : { drainedTo }) };
      const filter = selector ? { selector } : {};
      record({ client: name, id: ++id, scope, ...filter, ...request, opened, ...end, responses });
    };
    const look = (): void => {
      responses.push(...stream.advance());
      if (chance(random, 0.3)) responses.push({ type: 'BOOKMARK', rv: stream.rv, at: queue.now });
      if (isQuiet()) close(stream.rv);
      else if (chance(random, 0.03)) {
        if (chance(random, 0.3))
          responses.push({ type: 'ERROR', code: 410, reason: 'Expired', at: queue.now });
        close();
        open(chance(random, 0.3) ? undefined : Math.max(0, stream.rv - pickNumber(random, 5)));
      } else queue.at(queue.now + 1 + pickNumber(random, interval), look);
    };
    queue.at(queue.now + 1, look);
  };
  open(undefined);
}

function initialEvents(state: readonly ObjectVersion[], rv: number): WatchResponse[] {
  return [
    ...state.map((object) => ({ type: 'ADDED', object }) as const),
    { type: 'BOOKMARK', rv, initialEventsEnd: true },
  ];
}

/** Lists, watches, reconnects, relists after 410, and notes each step. */
export function startInformer(
  { name, scope, selector }: ObserverSettings,
  { queue, store, random, interval, isQuiet }: ObserverWorld,
  record: (informer: InformerRecord) => void,
): void {
  const steps: InformerStep[] = [];
  const relist = (reason: 'start' | 'relist' | 'expired'): SimulatedStream => {
    const { rv } = store;
    steps.push({ type: 'replace', reason, rv, items: store.list(scope, selector), at: queue.now });
    return new SimulatedStream(store, scope, selector, rv);
  };
  let stream = relist('start');
  const look = (at: number): void => {
    for (const { type, object } of stream.advance())
      steps.push({ type: 'change', change: type, object, at });
    if (chance(random, 0.2)) steps.push({ type: 'bookmark', rv: stream.rv, at });
    if (isQuiet())
      record({
        client: name,
        scope,
        ...(selector ? { selector } : {}),
        steps,
        store: stream.state(),
      });
    else {
      if (chance(random, 0.03)) stream = relist(chance(random, 0.5) ? 'expired' : 'relist');
      queue.at(at + 1 + pickNumber(random, interval), look);
    }
  };
  queue.at(queue.now + 1, look);
}
