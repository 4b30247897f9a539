import type { Clock } from '@orrery/component';
import type { IEvent, IKeyValue } from 'etcd3';

import { sealOf } from '../encryption/seal.js';
import type { FeedBatch } from '../etcd3/etcd-feed.js';
import { StoredEntry } from '../etcd3/stored-entry.js';
import type { StorageError } from '../storage-error.js';
import type { Entry } from '../storage.js';
import type { WindowLimits } from './event-window.js';
import type { IndexPage, KeyIndex } from './key-index.js';
import type { MemoryState } from './memory-reads.js';
import { OwnWrites } from './own-writes.js';
import { Partition } from './partition.js';

/**
 * Events are kept at least this long, as far as the window's size allows; older ones are read from etcd again (k8s 1.36
 * `apiserver/pkg/storage/cacher/watch_cache.go:DefaultEventFreshDuration`).
 */
const FRESH_MS = 75_000;
const MARK_MS = 25_000;

/** A keyspace at one revision: an index per resource. */
export interface StateSnapshot {
  readonly revision: number;
  readonly indexes: ReadonlyMap<string, KeyIndex>;
}

/** The keyspace as of `revision`: written only by the feed, read by everyone. */
export class CacheState implements MemoryState {
  /** Everything up to here has been applied and handed to the watchers. */
  revision = 0;
  readonly ownWrites = new OwnWrites(this);
  private readonly partitions = new Map<string, Partition>();
  /** Partitions that come into being later have seen everything since the load. */
  private loadedAt = 0;
  /** Which revision was reached when, oldest first. */
  private readonly marks: { readonly at: number; readonly revision: number }[] = [];

  constructor(
    private readonly keyspace: string,
    private readonly limits: WindowLimits,
    private readonly clock: Clock,
  ) {}

  /** Whether the prefix lies within one resource, which is what memory can serve. */
  covers(prefix: string): boolean {
    return prefix.startsWith(this.keyspace) && prefix.includes('/', this.keyspace.length);
  }

  /** The resource that a key or prefix belongs to. */
  partition(keyOrPrefix: string): Partition {
    const name = this.nameOf(keyOrPrefix);
    let partition = this.partitions.get(name);
    if (!partition) {
      partition = new Partition(this.limits, this.loadedAt);
      this.partitions.set(name, partition);
    }
    return partition;
  }

  get(key: string): Entry | undefined {
    return this.partitions.get(this.nameOf(key))?.index.get(key);
  }

  page(prefix: string, after?: string, limit?: number): IndexPage {
    const partition = this.partitions.get(this.nameOf(prefix));
    return partition?.index.page(prefix, after, limit) ?? { entries: [], remaining: 0 };
  }

  /** How many keys there are below `prefix`, which lies within one resource. */
  count(prefix: string): number {
    return this.partitions.get(this.nameOf(prefix))?.index.count(prefix) ?? 0;
  }

  /** The state of this moment, which later changes leave alone; undefined while it is being loaded. */
  snapshot(): StateSnapshot | undefined {
    if (this.revision === 0) return undefined;
    const indexes = new Map<string, KeyIndex>();
    for (const [name, { index }] of this.partitions) indexes.set(name, index.clone());
    return { revision: this.revision, indexes };
  }

  /** True when the state below `prefix` in memory is also its state at `revision`. */
  isSameAt(prefix: string, revision: number): boolean {
    if (revision > this.revision || revision < this.loadedAt) return false;
    const partition = this.partitions.get(this.nameOf(prefix));
    return (partition?.changedAt ?? this.loadedAt) <= revision;
  }

  /** Empties the state for a load; nobody watches then, since readers wait for the load. */
  startLoad(): void {
    this.ownWrites.clear();
    this.revision = 0;
    for (const partition of this.partitions.values()) partition.index.clear();
  }

  load(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry instanceof StoredEntry) this.partition(entry.key).load(entry.detach());
    }
  }

  /** Ends a load: from here on the state is the one at `revision`. */
  loaded(revision: number): void {
    this.marks.length = 0;
    this.loadedAt = revision;
    this.revision = revision;
    for (const partition of this.partitions.values()) {
      partition.window.reset(revision);
      partition.changedAt = revision;
    }
  }

  apply({ events, revision }: FeedBatch): void {
    const touched = new Set<Partition>();
    for (const event of events) {
      const key = event.kv.key.toString();
      if (!key.startsWith(this.keyspace)) continue;
      const partition = this.partition(key);
      this.applyEvent(partition, key, event);
      touched.add(partition);
    }
    this.revision = Math.max(this.revision, revision);
    for (const partition of touched) partition.flush();
    this.forgetStale();
  }

  /** Forgets everything; every watcher gets the error ('compacted'), so that its client lists again. */
  reset(error: StorageError): void {
    for (const partition of this.partitions.values()) partition.reset(error);
    this.revision = 0;
  }

  /** What every key of a resource starts with. */
  prefixOf(name: string): string {
    return `${this.keyspace}${name}/`;
  }

  /** The resource's name: the first path segment behind the keyspace. */
  nameOf(keyOrPrefix: string): string {
    const { keyspace } = this;
    const end = keyOrPrefix.indexOf('/', keyspace.length);
    return end < 0 ? '' : keyOrPrefix.slice(keyspace.length, end);
  }

  private forgetStale(): void {
    const now = this.clock.monotonic();
    if (now < (this.marks.at(-1)?.at ?? -MARK_MS) + MARK_MS) return;
    this.marks.push({ at: now, revision: this.revision });
    let stale: number | undefined;
    while (this.marks[0] && this.marks[0].at + FRESH_MS <= now) {
      stale = this.marks.shift()?.revision;
    }
    if (stale === undefined) return;
    for (const { window } of this.partitions.values()) window.forget(stale);
  }

  private entryOf(key: string, revision: number, kv: IKeyValue): StoredEntry {
    const { value } = kv;
    const own = this.ownWrites.writing(key, value);
    const createRevision = Number(kv.create_revision);
    const seal = sealOf(kv);
    const known = { isSound: own !== undefined, object: own?.object };
    return new StoredEntry({ key, revision, createRevision, value, seal, ...known });
  }

  private applyEvent(partition: Partition, key: string, { type, kv }: IEvent): void {
    const revision = Number(kv.mod_revision);
    if (type === 'Delete') {
      partition.remove(key, revision);
      return;
    }
    const entry = this.ownWrites.take(key, revision, kv.value) ?? this.entryOf(key, revision, kv);
    partition.put(entry.detach());
  }
}
