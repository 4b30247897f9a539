import type { LogIndex } from '../../history/log-index.js';
import type { WatchChange, WatchRecord, WatchResponse } from '../../history/watch-record.js';
import { isChange } from '../../history/watch-record.js';
import type { ExpectedEvent } from './expected-events.js';
import { expectEvents } from './expected-events.js';

/** A change with its place in the stream. */
export interface Delivered {
  readonly index: number;
  readonly change: WatchChange;
  readonly rv: number;
  readonly key: string;
}

/** Everything a validator may ask about one watch. */
export interface WatchContext {
  readonly watch: WatchRecord;
  readonly log: LogIndex;
  /** Every change of the stream. */
  readonly delivered: readonly Delivered[];
  /** Changes after the initial state. */
  readonly live: readonly Delivered[];
  /** Where the live part starts: events above this revision; undefined when the stream does not say. */
  readonly from: number | undefined;
  /** Place of the bookmark that ends the initial events. */
  readonly initialEnd: number | undefined;
  /** What had to be delivered, up to `horizon`. */
  readonly expected: readonly ExpectedEvent[];
  /** The stream showed, or the harness made sure, that everything up to here was delivered. */
  readonly horizon: number;
  /** Highest revision known to have been reached when the watch was opened. */
  readonly floor: number;
}

/** What a validator found. */
export interface Problem {
  readonly message: string;
  readonly rv?: number;
  readonly key?: string;
}

export interface WatchValidator {
  readonly rule: string;
  validate(context: WatchContext): readonly Problem[];
}

export function createWatchContext(watch: WatchRecord, log: LogIndex, floor: number): WatchContext {
  const { responses } = watch;
  const delivered = responses.flatMap((response, index) =>
    isChange(response)
      ? [{ index, change: response, rv: response.object.rv, key: response.object.key }]
      : [],
  );
  const end = responses.findIndex((r) => r.type === 'BOOKMARK' && r.initialEventsEnd === true);
  const initialEnd = watch.sendInitialEvents && end >= 0 ? end : undefined;
  const { from, start } = findLiveStart(watch, initialEnd, delivered);
  const live = delivered.filter(({ index }) => index >= start);
  const horizon = Math.max(watch.drainedTo ?? 0, provenHorizon(responses, start));
  const { scope, selector } = watch;
  const to = live.reduce((highest, { rv }) => Math.max(highest, rv), horizon);
  const expected = from === undefined ? [] : expectEvents(log, { scope, selector, from, to });
  return { watch, log, delivered, live, from, initialEnd, expected, horizon, floor };
}

interface LiveStart {
  readonly from: number | undefined;
  readonly start: number;
}

function findLiveStart(
  watch: WatchRecord,
  initialEnd: number | undefined,
  delivered: readonly Delivered[],
): LiveStart {
  if (watch.sendInitialEvents) {
    const bookmark = initialEnd === undefined ? undefined : watch.responses[initialEnd];
    const from = bookmark?.type === 'BOOKMARK' ? bookmark.rv : undefined;
    return { from, start: (initialEnd ?? watch.responses.length) + 1 };
  }
  if (watch.rv !== undefined && watch.rv > 0) return { from: watch.rv, start: 0 };
  const firstLive = delivered.find(({ change }) => change.type !== 'ADDED');
  return { from: undefined, start: firstLive?.index ?? watch.responses.length };
}

/** A bookmark closes its revision; a change closes only the revisions before its own. */
function provenHorizon(responses: readonly WatchResponse[], start: number): number {
  let horizon = 0;
  for (const response of responses.slice(start)) {
    if (response.type === 'BOOKMARK') horizon = Math.max(horizon, response.rv);
    else if (isChange(response)) horizon = Math.max(horizon, response.object.rv - 1);
  }
  return horizon;
}

/** Finds events by revision and key. */
export function indexEvents<T extends { readonly rv: number; readonly key: string }>(
  events: readonly T[],
): ReadonlyMap<string, T> {
  return new Map(events.map((event) => [eventId(event), event]));
}

export function eventId({ rv, key }: { readonly rv: number; readonly key: string }): string {
  return `${rv} ${key}`;
}
