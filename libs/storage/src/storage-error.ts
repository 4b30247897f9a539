import type { Entry } from './storage.js';

export type StorageErrorCode =
  /** create: the key is there. */
  | 'exists'
  /** update, delete: the state is not the expected one, or is gone. */
  | 'conflict'
  /** A guard of the transaction did not hold. */
  | 'guard'
  /** The revision was compacted away. */
  | 'compacted'
  /** The keyspace itself is no more: a fork that was removed or has expired. The message says which and why. */
  | 'gone'
  /** The revision lies in the future. */
  | 'futureRevision'
  /** etcd's quota is used up (NOSPACE alarm). */
  | 'noSpace'
  /** No leader, no quorum or no member can be reached; nothing was written. */
  | 'unavailable'
  /** No answer in time; for a write the outcome is unknown. */
  | 'timeout'
  /** A write was cut off: it may or may not have been applied. */
  | 'unknownOutcome'
  /** The stored value is not valid. */
  | 'corrupt'
  /** The value is larger than etcd takes. */
  | 'tooLarge'
  /** A watch consumer lagged beyond its buffer. */
  | 'slow'
  /** The caller's signal aborted. */
  | 'aborted'
  | 'internal';

export interface StorageErrorDetail {
  readonly key?: string;
  /** 'conflict': the state found, when there is one. */
  readonly currentRevision?: number;
  /** 'conflict', 'exists': that state itself, read in the same transaction. */
  readonly current?: Entry;
  /** 'compacted': the oldest revision still there; 'futureRevision': the current one. */
  readonly revision?: number;
  /** 'timeout': it was a read, so that nothing is unknown but the answer. */
  readonly wroteNothing?: boolean;
  readonly cause?: unknown;
}

/** The one error of the storage boundary. The registry turns it into a StatusError. */
export class StorageError extends Error {
  constructor(
    readonly code: StorageErrorCode,
    message: string,
    readonly detail: StorageErrorDetail = {},
  ) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'StorageError';
  }
}

/** True when a write may have been applied although it was not acknowledged. */
export const isOutcomeUnknown = (error: unknown): boolean =>
  error instanceof StorageError &&
  (error.code === 'unknownOutcome' ||
    (error.code === 'timeout' && error.detail.wroteNothing !== true));

export const isStorageError = (error: unknown, code: StorageErrorCode): boolean =>
  error instanceof StorageError && error.code === code;
