import { isStorageError } from '../storage-error.js';
import type {
  Entry,
  ListOptions,
  ListResult,
  ReadOptions,
  Storage,
  WatchOptions,
  WatchStream,
  WriteOptions,
} from '../storage.js';
import type { CachedStorage } from '../watch-cache/cached-storage.js';
import { MemoryReads } from '../watch-cache/memory-reads.js';
import { refuseBeforeCreation } from './fork-events.js';
import type { ForkState } from './fork-state.js';
import type { ForkStorage } from './fork-storage.js';

export interface CachedForkStorageOptions {
  readonly storage: ForkStorage;
  readonly state: ForkState;
  /** The live cache, whose watch feeds the fork. */
  readonly live: CachedStorage;
}

/** A fork whose reads and watches are served from memory, by the rules of the live cache. */
export class CachedForkStorage implements Storage {
  private readonly storage: ForkStorage;
  private readonly state: ForkState;
  private readonly live: CachedStorage;
  private readonly reads: MemoryReads;

  constructor({ storage, state, live }: CachedForkStorageOptions) {
    this.storage = storage;
    this.state = state;
    this.live = live;
    this.reads = new MemoryReads({
      state,
      gate: live.gate,
      backing: storage,
      clock: live.storage.client.clock,
      quorumReads: live.quorumReads,
      watchBuffer: live.watchBuffer,
    });
  }

  create(key: string, value: Buffer, options?: WriteOptions): Promise<Entry> {
    return this.storage.create(key, value, options);
  }

  async update(
    key: string,
    expected: number,
    value: Buffer,
    options?: WriteOptions,
  ): Promise<Entry> {
    await this.state.open(key);
    const known = this.state.covers(key) ? this.state.get(key) : undefined;
    return this.storage.update(key, expected, value, { ...options, ...(known && { known }) });
  }

  delete(key: string, expected: number, options?: WriteOptions): Promise<Entry> {
    return this.storage.delete(key, expected, options);
  }

  get(key: string, options: ReadOptions): Promise<Entry | undefined> {
    return this.opened(key, () => this.reads.get(key, options));
  }

  list(prefix: string, options: ListOptions): Promise<ListResult> {
    return this.opened(prefix, () => this.reads.list(prefix, options));
  }

  async *watch(prefix: string, options: WatchOptions): WatchStream {
    refuseBeforeCreation(this.storage.fork, options.after);
    await this.state.open(prefix);
    yield* this.reads.watch(prefix, options);
  }

  revision(): Promise<number> {
    return this.live.revision();
  }

  /** Reads once the resource is in memory; again when it was loaded anew meanwhile. */
  private async opened<T>(keyOrPrefix: string, read: () => Promise<T>): Promise<T> {
    for (;;) {
      await this.state.open(keyOrPrefix);
      try {
        return await read();
      } catch (error) {
        if (!isStorageError(error, 'compacted') || this.state.isOpen(keyOrPrefix)) throw error;
      }
    }
  }
}
