import type { ObjectVersion } from './object-version.js';

/** One event of the ground truth: the store's own log, watched from the first revision. */
export interface LogEvent {
  readonly rv: number;
  readonly key: string;
  readonly type: 'put' | 'delete';
  /** What was put; absent for a delete. */
  readonly object?: ObjectVersion;
  /** What the store says stood there before, where it was asked for. */
  readonly prev?: ObjectVersion;
  /** When the watcher received it, on the recorder's clock: the write took effect before. */
  readonly at?: number;
}

/** What the log is known to hold. */
export interface LogCoverage {
  /** From this revision on every revision of the whole keyspace is in the log; absent = revisions of other keys may be missing. */
  readonly contiguousFrom?: number;
  /** The watcher ran until after the last effect of the last operation, so a write that is not in the log never happened. */
  readonly complete: boolean;
}
