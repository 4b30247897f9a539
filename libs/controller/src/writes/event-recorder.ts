import type { KubeObject } from '@orrery/apimachinery';
import { isAlreadyExists, isNotFound } from '@orrery/apimachinery';
import type { Event, ObjectReference } from '@orrery/api';
import { resources } from '@orrery/api';
import type { KubeClient, ResourceClient } from '@orrery/client';
import type { Clock, Logger } from '@orrery/component';
import { toTime } from '@orrery/component';
import { EventCorrelator } from './event-correlator.js';
import type { Correlated } from './event-correlator.js';
import { EventOutbox } from './event-outbox.js';
import { EventNames, reactionOf, toReference } from './event-reference.js';

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

/** For specs and for callers without a cluster. */
export const noEvents: EventRecorder = { event: () => undefined };

const MAX_MESSAGE = 1024;

/**
 * Writes core/v1 events one after another in the background; repeats of an event raise the count of the first
 * (k8s client-go tools/record). Events beyond the limits are dropped.
 */
export class ApiEventRecorder implements EventRecorder {
  readonly #events: ResourceClient<Event>;
  readonly #correlator: EventCorrelator;
  readonly #outbox: EventOutbox;
  readonly #names: EventNames;

  constructor(private readonly options: EventRecorderOptions) {
    this.#events = options.client.resource(resources.events);
    this.#correlator = new EventCorrelator(options.clock);
    this.#outbox = new EventOutbox(options);
    this.#names = new EventNames(options.clock);
  }

  event(
    object: KubeObject | ObjectReference,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
  ): void {
    if (this.#outbox.isFull) return;
    const reference = toReference(object);
    const event = this.#toEvent(reference, type, reason, message.slice(0, MAX_MESSAGE));
    this.#outbox.put(reactionOf(reference, this.options.component), () => {
      const verdict = this.#correlator.correlate(event);
      return verdict && (() => this.#write(verdict));
    });
  }

  /** Resolves when all that was recorded so far is written or dropped; a server that does not answer is not waited for. */
  flush(): Promise<void> {
    return this.#outbox.flush();
  }

  #toEvent(involvedObject: ObjectReference, type: string, reason: string, message: string): Event {
    const { clock, component, host } = this.options;
    const now = toTime(clock.now());
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: this.#names.metadataOf(involvedObject),
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
