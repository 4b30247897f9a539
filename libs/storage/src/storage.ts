import type { KubeObject, Steps } from '@orrery/apimachinery';

/**
 * One stored object at one revision. Immutable; shared by every reader, so nothing may write to what it returns.
 */
export interface Entry {
  /** Full etcd key, e.g. /registry/pods/default/web-0. */
  readonly key: string;
  /** etcd mod_revision of the write that produced this state (of the deletion, in a DELETED event). */
  readonly revision: number;
  readonly createRevision: number;
  /** The stored value: upstream's JSON encoding, without resourceVersion. */
  readonly value: Buffer;
  /** The JSON that goes over the wire: `value` with metadata.resourceVersion spliced in. Made once, kept. */
  readonly bytes: Buffer;
  /**
   * Offset in `bytes` of the first field behind the leading kind and apiVersion (1 = it does not lead with them):
   * `{` followed by `bytes.subarray(typeEnd)` is the object as an item of a built-in LIST.
   */
  readonly typeEnd: number;
  /** The parsed object with resourceVersion set. Parsed on first use, kept, deeply frozen in tests. */
  readonly object: KubeObject;
  /**
   * Parses a large value in steps, so that `object`, asked for right behind them, need not; `sound` = `bytes` are wanted,
   * which are passed on once they were seen to be JSON. Undefined = it is small, or known.
   */
  readSteps?(wanted: 'sound' | 'object'): Steps<KubeObject> | undefined;
  /** It is not stored as it would be now (encrypted by another key): writing it again changes that. */
  readonly isStale?: boolean;
}

/** How fresh a read must be (k8s API concepts, "resourceVersion"). */
export type Freshness =
  | { readonly kind: 'consistent' }
  | { readonly kind: 'any' }
  | { readonly kind: 'notOlderThan'; readonly revision: number }
  | { readonly kind: 'exact'; readonly revision: number };

export interface ReadOptions {
  readonly freshness: Freshness;
  readonly signal?: AbortSignal;
}

export interface ListOptions extends ReadOptions {
  /** Most entries in one answer; absent = all. */
  readonly limit?: number;
  /** Only keys strictly greater than this one (the last key of the page before). */
  readonly after?: string;
}

export interface ListResult {
  readonly entries: readonly Entry[];
  /** The revision of which this list is a snapshot. */
  readonly revision: number;
  /** Entries below the prefix after the last one returned; 0 = the list is complete. */
  readonly remaining: number;
}

export interface StorageEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** The state after the write; for DELETED the last state, carrying the deletion's revision. */
  readonly entry: Entry;
  /** The state before a MODIFIED or DELETED. */
  readonly previous?: Entry;
  readonly revision: number;
}

/** What a watch yields: changes in revision order, and progress marks. */
export type WatchItem =
  | { readonly kind: 'event'; readonly event: StorageEvent }
  /** Nothing at or below `revision` will follow. */
  | { readonly kind: 'progress'; readonly revision: number };

export interface WatchOptions {
  /** Events with a revision strictly greater than this are delivered. */
  readonly after: number;
  /** Ends the watch. */
  readonly signal: AbortSignal;
  /** Ask for progress marks at about this interval; absent = none are needed. */
  readonly progressMs?: number;
  /** What happens within some milliseconds may come as one array, which all such watches of a prefix share. */
  readonly paced?: boolean;
}

/**
 * A watch that never skips an event: it yields arrays of items in order, or throws StorageError
 * 'compacted' when `after` is gone, 'slow' when the consumer lags beyond the buffer, and ends when the signal aborts.
 */
export type WatchStream = AsyncIterable<readonly WatchItem[]>;

/** Facts recorded with a write for `orrery explain` (architecture.md, "Cause"). */
export interface WriteCause {
  /** Who was authenticated. */
  readonly user: string;
  /** The User-Agent of the request. */
  readonly agent?: string;
  /** The field manager of the request. */
  readonly manager?: string;
  /** create, update, patch, delete …; with `subresource` where there was one. */
  readonly verb?: string;
  readonly subresource?: string;
  /** The request's id in the audit log. */
  readonly request?: string;
  /** The revision that the writer says it reacted to. */
  readonly reactedTo?: number;
  /** Which part of the writer decided, as it says: `replicaset`. */
  readonly controller?: string;
  /** Why, as it says. */
  readonly reason?: string;
  /** Where it says nothing: up to which revision it had been sent events, by type (`apps/ReplicaSet`). A few entries. */
  readonly sent?: Readonly<Record<string, number>>;
}

export interface WriteOptions {
  readonly signal?: AbortSignal;
  /** Recorded in the same transaction; absent = nothing is (renewals of Leases). */
  readonly cause?: WriteCause;
  /** Extra guards compared in the same transaction (e.g. a leader's Lease): key -> mod revision. */
  readonly guards?: ReadonlyMap<string, number>;
  /** create, update: etcd removes the key about this long after the write (upstream keeps Events for 3,600). */
  readonly ttlSeconds?: number;
  /**
   * create, update: what parsing the value would give, without resourceVersion, which its entry adds to it. It is given away:
   * nobody changes it any more.
   */
  readonly object?: KubeObject | undefined;
}

/**
 * The object store. Every write is one transaction at one revision; every method throws only StorageError.
 * Keys start with the keyspace's prefix (`/registry/` by default).
 */
export interface Storage {
  /** Stores a new key. Throws 'exists'. */
  create(key: string, value: Buffer, options?: WriteOptions): Promise<Entry>;
  /** Replaces the state at exactly `expected`. Throws 'conflict' (with `current`, if there is one). */
  update(key: string, expected: number, value: Buffer, options?: WriteOptions): Promise<Entry>;
  /** Removes the state at exactly `expected`; answers the last state with the deletion's revision. Throws 'conflict'. */
  delete(key: string, expected: number, options?: WriteOptions): Promise<Entry>;
  get(key: string, options: ReadOptions): Promise<Entry | undefined>;
  /** Entries below `prefix` (which ends in '/'), in key order. */
  list(prefix: string, options: ListOptions): Promise<ListResult>;
  /** Watches all keys below `prefix` (which ends in '/'). */
  watch(prefix: string, options: WatchOptions): WatchStream;
  /** The current revision, by quorum. */
  revision(signal?: AbortSignal): Promise<number>;
}
