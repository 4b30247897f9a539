import type { KubeObject, Reaction } from '@orrery/apimachinery';
import { isAlreadyExists, isNotFound } from '@orrery/apimachinery';
import type { Event, ObjectReference } from '@orrery/api';
import { resources } from '@orrery/api';
import { currentReaction, isConnectionError, reactingTo } from '@orrery/client';
import type { KubeClient, ResourceClient } from '@orrery/client';
import type { Clock, Logger } from '@orrery/component';
import { toTime } from '@orrery/component';
import { EventCorrelator } from './event-correlator.js';
import type { Correlated } from './event-correlator.js';

export interface EventRecorderOptions {
  readonly client: KubeClient;
  /** `source.component`, e.g. deployment-controller. */
  readonly component: string;
  readonly host?: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Tells users what happened to an object; never fails and never waits. */
export interface EventRecorder {
  event(
    object: KubeObject | ObjectReference,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
  ): void;
}

interface Recorded {
  readonly event: Event;
  readonly reaction: Reaction;
}

/** For specs and for callers without a cluster. */
export const noEvents: EventRecorder = { event: () => undefined };

/** Beyond it events are dropped: so many wait when a thousand pods a second are placed on a busy server. */
const MAX_WAITING = 20_000;
/** k8s client-go tools/record/event.go: maxTriesPerEvent, defaultSleepDuration. */
const MAX_TRIES = 12;
const RETRY_MS = 10_000;
const MAX_MESSAGE = 1024;

/** What an event is about. Unset fields are left out. */
export function toReference(object: KubeObject | ObjectReference): ObjectReference {
  if (!('metadata' in object)) return object;
  const { apiVersion, kind, metadata } = object as KubeObject;
  const { namespace, name, uid, resourceVersion } = metadata;
  const all = { kind, namespace, name, uid, apiVersion, resourceVersion };
  return Object.fromEntries(Object.entries(all).filter(([, v]) => v)) as ObjectReference;
}

/**
 * Writes core/v1 events one after another in the background; repeats of an event raise the count of the first
 * (k8s client-go tools/record). Events beyond the limits are dropped.
 */
export class ApiEventRecorder implements EventRecorder {
  readonly #events: ResourceClient<Event>;
  readonly #correlator: EventCorrelator;
  #waiting: Recorded[] = [];
  #writing: Promise<void> | undefined;
  /** Ends the wait for a server that does not answer. */
  #hurry: (() => void) | undefined;
  #isEnding = false;
  #serial = 0;

  constructor(private readonly options: EventRecorderOptions) {
    this.#events = options.client.resource(resources.events);
    this.#correlator = new EventCorrelator(options.clock);
  }

  event(
    object: KubeObject | ObjectReference,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
  ): void {
    if (this.#waiting.length >= MAX_WAITING) return;
    const reference = toReference(object);
    const event = this.#toEvent(reference, type, reason, message.slice(0, MAX_MESSAGE));
    const reaction = this.#reactionOf(reference);
    this.#waiting.push({ event, reaction });
    this.#writing ??= this.#drain();
  }

  /** Resolves when all that was recorded so far is written or dropped; a server that does not answer is not waited for. */
  async flush(): Promise<void> {
    this.#isEnding = true;
    this.#hurry?.();
    await this.#writing;
    this.#isEnding = false;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const recorded = this.#waiting;
      this.#waiting = [];
      for (const { event, reaction } of recorded)
        await reactingTo(reaction, () => this.#record(event));
    }
    this.#writing = undefined;
  }

  /** An event is about a state of its object: that is what it reacts to, where the reference tells. */
  #reactionOf({ resourceVersion }: ObjectReference): Reaction {
    const current = currentReaction();
    const revision = Number(resourceVersion ?? 0) || current?.revision;
    const controller = current?.controller ?? this.options.component;
    return { controller, ...(revision ? { revision } : {}) };
  }

  #toEvent(involvedObject: ObjectReference, type: string, reason: string, message: string): Event {
    const { clock, component, host } = this.options;
    const now = toTime(clock.now());
    const stamp = (BigInt(clock.now()) * 1_000_000n + BigInt(this.#serial++ % 1_000_000)).toString(
      16,
    );
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: {
        name: `${involvedObject.name ?? ''}.${stamp}`,
        namespace: involvedObject.namespace ?? 'default',
      },
      involvedObject,
      reason,
      message,
      source: { component, ...(host ? { host } : {}) },
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
      type,
      reportingComponent: component,
      reportingInstance: host ?? '',
    } as Event;
  }

  /** Tries again when nobody answered; what the server refuses is dropped. */
  async #record(event: Event): Promise<void> {
    const verdict = this.#correlator.correlate(event);
    if (verdict === undefined) return;
    for (let tries = 1; ; tries++)
      try {
        await this.#write(verdict);
        return;
      } catch (error) {
        if (!isConnectionError(error) || this.#isEnding || tries >= MAX_TRIES) {
          this.options.logger.debug('event not written', { error: String(error) });
          return;
        }
        await this.#pause();
      }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.options.clock.after(RETRY_MS, resolve, { unref: true });
      this.#hurry = () => {
        cancel();
        resolve();
      };
    });
  }

  async #write({ event: wanted, previous }: Correlated): Promise<void> {
    if (previous) {
      const patch = {
        count: wanted.count,
        lastTimestamp: wanted.lastTimestamp,
        message: wanted.message,
      };
      try {
        this.#correlator.written(await this.#events.patch(previous, 'strategic', patch));
        return;
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
    try {
      this.#correlator.written(await this.#events.create(wanted));
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  }
}
