import type { Labels, ObjectVersion } from './object-version.js';

export const CHANGE_TYPES = ['ADDED', 'MODIFIED', 'DELETED'] as const;
export type ChangeType = (typeof CHANGE_TYPES)[number];

export interface WatchChange {
  readonly type: ChangeType;
  /** The object in the event; of a DELETED its last matching state, with the revision of the write that removed it. */
  readonly object: ObjectVersion;
  readonly at?: number;
}

export interface WatchBookmark {
  readonly type: 'BOOKMARK';
  readonly rv: number;
  /** Carries the annotation `k8s.io/initial-events-end`. */
  readonly initialEventsEnd?: true;
  readonly at?: number;
}

export interface WatchFailure {
  readonly type: 'ERROR';
  /** Code of the Status in the event; absent when the event carried none. */
  readonly code?: number;
  readonly reason?: string;
  readonly at?: number;
}

export type WatchResponse = WatchChange | WatchBookmark | WatchFailure;

/** One watch request and everything it answered. */
export interface WatchRecord {
  readonly client: string;
  readonly id: number;
  readonly scope: string;
  readonly selector?: Labels;
  /** resourceVersion asked for; absent = from now, 0 = from any state. */
  readonly rv?: number;
  readonly sendInitialEvents?: true;
  readonly opened: number;
  readonly closed?: number;
  /** The harness waited for this watch to reach this revision: it must have delivered everything up to there. */
  readonly drainedTo?: number;
  readonly responses: readonly WatchResponse[];
}

/** True for ADDED, MODIFIED and DELETED. */
export function isChange(response: WatchResponse): response is WatchChange {
  return response.type !== 'BOOKMARK' && response.type !== 'ERROR';
}

/** `w1#4 pods/ns1`: how reports name a watch. */
export function describeWatch(watch: WatchRecord): string {
  return `${watch.client}#${watch.id} watch ${watch.scope} from ${watch.rv ?? 'now'}`;
}
