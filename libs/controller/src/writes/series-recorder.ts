import type { KubeObject } from '@orrery/apimachinery';
import { isAlreadyExists, isNotFound, keyOf } from '@orrery/apimachinery';
import type { ObjectReference } from '@orrery/api';
import { resources } from '@orrery/api';
import type { KubeClient, ResourceClient } from '@orrery/client';
import type { Clock, Logger } from '@orrery/component';
import { toMicroTime } from '@orrery/component';
import { EventOutbox, EventTooEarly } from './event-outbox.js';
import { EventNames, reactionOf, toReference } from './event-reference.js';

type Event = NonNullable<(typeof resources.eventsEventsV1)['object']>;

export interface SeriesRecorderOptions {
  readonly client: KubeClient;
  /** `reportingController`, e.g. default-scheduler. */
  readonly controller: string;
  /** `reportingInstance` is the controller's name, a dash and this. */
  readonly host: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Something that was done about an object, or failed. */
export interface ActionReport {
  readonly regarding: KubeObject | ObjectReference;
  /** Another object that took part, e.g. the pod that another had to make room for. */
  readonly related?: KubeObject | ObjectReference;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  /** What was tried, e.g. Binding. */
  readonly action: string;
  readonly note: string;
}

/** Tells users what was done about an object; never fails and never waits. */
export interface ActionRecorder {
  report(report: ActionReport): void;
}

/** For specs and for callers without a cluster. */
export const noActions: ActionRecorder = { report: () => undefined };

interface Remembered {
  /** The event as it was made, with the series as far as it has come. */
  event: Event;
  /** When it, or the last of its series, was told. */
  seenMs: number;
}

/** k8s client-go tools/events/event_broadcaster.go: finishTime, and refreshTime in rounds of it. */
const FINISH_MS = 360_000;
const REFRESH_ROUNDS = 5;
/** Beyond it the oldest are forgotten: a repeat of them is an event of its own. */
const MAX_REMEMBERED = 4096;
/** k8s pkg/apis/core/validation/events.go:NoteLengthLimit */
const MAX_NOTE = 1024;

/**
 * Writes events.k8s.io/v1 (k8s client-go tools/events/event_broadcaster.go). What is told again of the same state of
 * an object becomes a series: the second time is written at once, further ones are counted and written when six
 * minutes have passed without one, and each half an hour, so that the event does not expire.
 */
export class SeriesRecorder implements ActionRecorder {
  readonly #events: ResourceClient<Event>;
  readonly #outbox: EventOutbox;
  readonly #names: EventNames;
  readonly #known = new Map<string, Remembered>();
  #round = 0;
  #isScheduled = false;

  constructor(private readonly options: SeriesRecorderOptions) {
    this.#events = options.client.resource(resources.eventsEventsV1);
    this.#outbox = new EventOutbox(options);
    this.#names = new EventNames(options.clock);
  }

  report(report: ActionReport): void {
    if (this.#outbox.isFull) return;
    const regarding = toReference(report.regarding);
    const related = report.related && toReference(report.related);
    const { type, reason, action } = report;
    const key = JSON.stringify([type, action, reason, regarding, related]);
    const known = this.#known.get(key);
    if (known) this.#repeat(known);
    else this.#begin(key, this.#toEvent(report, regarding, related));
  }

  /** Resolves when all that was recorded so far is written or dropped; a server that does not answer is not waited for. */
  flush(): Promise<void> {
    return this.#outbox.flush();
  }

  #begin(key: string, event: Event): void {
    this.#known.set(key, { event, seenMs: this.options.clock.monotonic() });
    if (this.#known.size > MAX_REMEMBERED) this.#forgetOldest();
    this.#put(event);
    this.#schedule();
  }

  #repeat(known: Remembered): void {
    const { clock } = this.options;
    const { series } = known.event;
    known.seenMs = clock.monotonic();
    const lastObservedTime = toMicroTime(clock.now());
    known.event = {
      ...known.event,
      series: { count: (series?.count ?? 1) + 1, lastObservedTime },
    };
    if (!series) this.#put(known.event);
  }

  #forgetOldest(): void {
    const [oldest] = this.#known;
    if (!oldest) return;
    const [key, { event }] = oldest;
    this.#known.delete(key);
    if (event.series) this.#put(event);
  }

  #toEvent(
    { type, reason, action, note }: ActionReport,
    regarding: ObjectReference,
    related: ObjectReference | undefined,
  ): Event {
    const { clock, controller, host } = this.options;
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: this.#names.metadataOf(regarding),
      eventTime: toMicroTime(clock.now()),
      reportingController: controller,
      reportingInstance: `${controller}-${host}`,
      action,
      reason,
      regarding,
      ...(related ? { related } : {}),
      note: truncate(note),
      type,
    };
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const look = (): void => {
      this.#isScheduled = false;
      this.#finish();
      if (++this.#round % REFRESH_ROUNDS === 0) this.#refresh();
      if (this.#known.size > 0) this.#schedule();
    };
    this.options.clock.after(FINISH_MS, look, { unref: true });
  }

  #finish(): void {
    const now = this.options.clock.monotonic();
    for (const [key, { event, seenMs }] of this.#known) {
      if (now - seenMs < FINISH_MS) continue;
      this.#known.delete(key);
      if (event.series) this.#put(event);
    }
  }

  #refresh(): void {
    for (const { event } of this.#known.values()) if (event.series) this.#put(event);
  }

  #put(event: Event): void {
    const reaction = reactionOf(event.regarding ?? {}, this.options.controller);
    this.#outbox.put(reaction, () => () => this.#write(event));
  }

  async #write(event: Event): Promise<void> {
    const { series } = event;
    if (series)
      try {
        await this.#events.patch(keyOf(event), 'strategic', { series });
        return;
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    try {
      await this.#events.create(event);
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      if (series) throw new EventTooEarly('the event was made meanwhile', { cause: error });
    }
  }
}

/** k8s pkg/scheduler/schedule_one.go:truncateMessage */
function truncate(note: string): string {
  const suffix = ' ...';
  return note.length <= MAX_NOTE ? note : note.slice(0, MAX_NOTE - suffix.length) + suffix;
}
