import type { IEvent } from 'etcd3';

import { StorageError } from '../storage-error.js';
import type { Entry } from '../storage.js';
import type { CacheState } from '../watch-cache/cache-state.js';
import type { FreshnessGate } from '../watch-cache/freshness-gate.js';
import type { IndexPage, KeyIndex } from '../watch-cache/key-index.js';
import type { MemoryState } from '../watch-cache/memory-reads.js';
import { Partition } from '../watch-cache/partition.js';
import type { MemoryBase } from './fork-base.js';
import type { Fork } from './fork-record.js';
import { decodeOverlay } from './overlay-value.js';
import type { OverlayKeyValue, OverlayState } from './overlay-value.js';

/** Events remembered per resource: there may be many forks, and what lies further back is replayed from etcd. */
const WINDOW = { events: 1000, bytes: 1024 * 1024, stale: 100 };

/** What a fork has stored of one resource that nobody has read yet. */
interface Unread {
  readonly states: Map<string, OverlayState>;
  changedAt: number;
}

/**
 * A fork in memory: per resource a copy-on-write clone of the base with the fork's own states laid over it, made when
 * the resource is first read. It is fed by the watch of the live cache, and is as far as that is.
 */
export class ForkState implements MemoryState {
  private readonly partitions = new Map<string, Partition>();
  private readonly unread = new Map<string, Unread>();
  private readonly opening = new Map<string, Promise<void>>();
  /** Counts the times that everything was forgotten. */
  private turn = 0;

  constructor(
    private readonly fork: Fork,
    private readonly live: CacheState,
    private readonly gate: FreshnessGate,
    readonly base: MemoryBase,
  ) {}

  get revision(): number {
    return this.live.revision;
  }

  covers(keyOrPrefix: string): boolean {
    return this.live.covers(keyOrPrefix);
  }

  isOpen(keyOrPrefix: string): boolean {
    return !this.covers(keyOrPrefix) || this.partitions.has(this.live.nameOf(keyOrPrefix));
  }

  /** Makes the resource of a key or prefix ready to be read. */
  async open(keyOrPrefix: string): Promise<void> {
    if (this.isOpen(keyOrPrefix)) return;
    const name = this.live.nameOf(keyOrPrefix);
    const opening = this.opening.get(name) ?? this.make(name);
    this.opening.set(name, opening);
    try {
      await opening;
    } finally {
      this.opening.delete(name);
    }
  }

  partition(keyOrPrefix: string): Partition {
    const partition = this.partitions.get(this.live.nameOf(keyOrPrefix));
    if (partition) return partition;
    throw new StorageError('compacted', 'the fork is being loaded anew: list again', {
      revision: this.fork.created,
    });
  }

  get(key: string): Entry | undefined {
    return this.partition(key).index.get(key);
  }

  page(prefix: string, after?: string, limit?: number): IndexPage {
    return this.partition(prefix).index.page(prefix, after, limit);
  }

  isSameAt(prefix: string, revision: number): boolean {
    if (revision > this.revision || revision < this.fork.created) return false;
    return this.partition(prefix).changedAt <= revision;
  }

  /** Lays a state over the base, as it is found when the fork is loaded. */
  load(key: string, kv: OverlayKeyValue): void {
    this.keep(key, decodeOverlay(key, kv), Number(kv.mod_revision));
  }

  /** Applies an event of the fork's own keys; {@link Partition.flush} of what it answers tells the watchers. */
  apply(key: string, { type, kv }: IEvent): Partition | undefined {
    const revision = Number(kv.mod_revision);
    const state = type === 'Put' ? decodeOverlay(key, kv) : undefined;
    const partition = this.partitions.get(this.live.nameOf(key));
    if (!partition) {
      this.keep(key, state, revision);
      return undefined;
    }
    if (state?.kind === 'object') partition.put(state.entry.detach());
    else partition.remove(key, revision);
    return partition;
  }

  /** Forgets what it holds over the base; watchers end with the error. */
  reset(error: StorageError): void {
    const { partitions } = this;
    const open = [...partitions.values()];
    this.turn++;
    partitions.clear();
    this.unread.clear();
    for (const partition of open) partition.reset(error);
  }

  private keep(key: string, state: OverlayState | undefined, revision: number): void {
    const name = this.live.nameOf(key);
    const unread = this.unread.get(name) ?? { states: new Map(), changedAt: revision };
    this.unread.set(name, unread);
    unread.changedAt = Math.max(unread.changedAt, revision);
    if (state?.kind === 'object') state.entry.detach();
    if (state) unread.states.set(key, state);
    else unread.states.delete(key);
  }

  private async make(name: string): Promise<void> {
    let index: KeyIndex;
    let { turn } = this;
    do {
      await this.gate.ready();
      ({ turn } = this);
      index = (await this.base.index(name)).clone();
    } while (turn !== this.turn || this.revision === 0);
    const unread = this.unread.get(name);
    this.unread.delete(name);
    for (const [key, state] of unread?.states ?? []) {
      if (state.kind === 'object') index.set(state.entry);
      else index.delete(key);
    }
    const changedAt = unread?.changedAt ?? this.fork.created;
    this.partitions.set(name, new Partition(WINDOW, changedAt, index));
  }
}
