import type { ObjectKey } from '@orrery/apimachinery';
import { keyOf } from '@orrery/apimachinery';
import type { Event } from '@orrery/api';
import type { Clock } from '@orrery/component';
import { TokenBucket } from '../queue/token-bucket.js';

/** k8s client-go tools/record/events_cache.go: the defaults of the correlator. */
const SIMILAR_LIMIT = 10;
const SIMILAR_WINDOW_MS = 600_000;
const SPAM_BURST = 25;
const SPAM_PER_SECOND = 1 / 300;
const MAX_REMEMBERED = 4096;

interface Similar {
  readonly messages: Set<string>;
  lastSeen: number;
}

interface Known {
  readonly key: ObjectKey;
  readonly count: number;
  readonly firstTimestamp: string | undefined;
}

export interface Correlated {
  readonly event: Event;
  /** The event to raise the count of; absent = a new one. */
  readonly previous?: ObjectKey;
}

/** Forgets the oldest entry when full. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= MAX_REMEMBERED) return;
  const oldest = map.keys().next();
  if (!oldest.done) map.delete(oldest.value);
}

/** Decides whether an event is new, a repeat, one of many similar ones, or too much. */
export class EventCorrelator {
  readonly #buckets = new Map<string, TokenBucket>();
  readonly #similar = new Map<string, Similar>();
  readonly #known = new Map<string, Known>();

  constructor(private readonly clock: Clock) {}

  /** undefined = drop it. */
  correlate(event: Event): Correlated | undefined {
    const correlated = this.#count(this.#aggregate(event));
    return this.#isSpam(event) ? undefined : correlated;
  }

  /** Repeats raise the count of the first, also those that are not told. */
  #count(event: Event): Correlated {
    const identity = identityOf(event);
    const known = this.#known.get(identity);
    if (!known) return { event };
    const { key, firstTimestamp } = known;
    const count = known.count + 1;
    remember(this.#known, identity, { key, firstTimestamp, count });
    const first = firstTimestamp ? { firstTimestamp } : {};
    return { event: { ...event, count, ...first }, previous: key };
  }

  #isSpam(event: Event): boolean {
    const source = sourceOf(event);
    const bucket =
      this.#buckets.get(source) ?? new TokenBucket(SPAM_PER_SECOND, SPAM_BURST, this.clock);
    remember(this.#buckets, source, bucket);
    return !bucket.tryTake();
  }

  /** The event as the server now has it. */
  written(event: Event): void {
    remember(this.#known, identityOf(event), {
      key: keyOf(event),
      count: event.count ?? 1,
      firstTimestamp: event.firstTimestamp,
    });
  }

  #aggregate(event: Event): Event {
    const group = [objectOf(event), event.type, event.reason].join('|');
    const now = this.clock.monotonic();
    let similar = this.#similar.get(group);
    if (!similar || now - similar.lastSeen > SIMILAR_WINDOW_MS) {
      similar = { messages: new Set(), lastSeen: now };
      remember(this.#similar, group, similar);
    }
    similar.lastSeen = now;
    const message = event.message ?? '';
    // The tenth text is the first to be combined (EventAggregator.EventAggregate).
    if (similar.messages.has(message)) return event;
    if (similar.messages.size < SIMILAR_LIMIT - 1) {
      similar.messages.add(message);
      return event;
    }
    return { ...event, message: `(combined from similar events): ${event.message ?? ''}` };
  }
}

/** Who tells of which object: what one may say is limited for all parts of the object together. */
function sourceOf({ source, involvedObject: o }: Event): string {
  const { component, host } = source ?? {};
  return [component, host, o.kind, o.namespace, o.name, o.uid, o.apiVersion].join('|');
}

const objectOf = (event: Event): string =>
  `${sourceOf(event)}|${event.involvedObject.fieldPath ?? ''}`;

/** Combined events count as one whatever their text. */
function identityOf(event: Event): string {
  const message = event.message ?? '';
  const text = message.startsWith('(combined from similar events)') ? '(combined)' : message;
  return [objectOf(event), event.type, event.reason, text].join('|');
}
