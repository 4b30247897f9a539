import type { Because, ObjectName, Write } from './model.js';

/** What a write reacted to. */
export interface WriteReason extends Because {
  readonly object: ObjectName;
  readonly summary: string;
}

export interface ObjectWrite extends Write {
  readonly because?: WriteReason;
}

/** What `/history/revisions/…` answers. */
export interface ObjectHistory {
  readonly kind: 'ObjectHistory';
  readonly object: ObjectName;
  /** Newest first. */
  readonly writes: readonly ObjectWrite[];
  /** There is more before this revision: ask for `before=` it. */
  readonly before?: number;
  /** The beginning is compacted away: nothing older than this revision is left. */
  readonly oldest?: number;
}

/** One end of a comparison. */
export interface DiffMoment {
  readonly revision: number;
  /** When that state came to be, where it is known. */
  readonly time?: string;
}

/** What `/history/diff` answers. */
export interface ClusterDiff {
  readonly kind: 'ClusterDiff';
  readonly from: DiffMoment;
  readonly to: DiffMoment;
  /** Each with the revision of its last write. */
  readonly changes: readonly Write[];
  /** There is more: ask for `continue=` this. */
  readonly continue?: string;
  /** Resources with changes that the user may not list. */
  readonly omitted?: readonly string[];
}

/** The line behind each batch of a log, which otherwise has a Write a line. */
export interface LogMark {
  readonly kind: 'LogMark';
  /** Everything up to here has been told. */
  readonly revision: number;
  /** The oldest revision that was left, where the log begins later than was asked for. */
  readonly oldest?: number;
  /** Resources with writes that the user may not list. */
  readonly omitted?: readonly string[];
}
