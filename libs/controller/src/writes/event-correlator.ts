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
    const object = objectOf(event);
    let bucket = this.#buckets.get(object);
    if (!bucket) {
      bucket = new TokenBucket(SPAM_PER_SECOND, SPAM_BURST, this.clock);
      remember(this.#buckets, object, bucket);
    }
    if (!bucket.tryTake()) return undefined;
    const wanted = this.#aggregate(event);
    const known = this.#known.get(identityOf(wanted));
    if (!known) return { event: wanted };
    return {
      event: {
        ...wanted,
        count: known.count + 1,
        ...(known.firstTimestamp ? { firstTimestamp: known.firstTimestamp } : {}),
      },
      previous: known.key,
    };
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
    if (similar.messages.size < SIMILAR_LIMIT || similar.messages.has(event.message ?? '')) {
      similar.messages.add(event.message ?? '');
      return event;
    }
    return { ...event, message: `(combined from similar events): ${event.message ?? ''}` };
  }
}

function objectOf({ source, involvedObject: o }: Event): string {
  return [
    source?.component,
    source?.host,
    o.kind,
    o.namespace,
    o.name,
    o.uid,
    o.apiVersion,
    o.fieldPath,
  ].join('|');
}

/** Combined events count as one whatever their text. */
function identityOf(event: Event): string {
  const message = event.message ?? '';
  const text = message.startsWith('(combined from similar events)') ? '(combined)' : message;
  return [objectOf(event), event.type, event.reason, text].join('|');
}
