import type { KubeObject } from '@orrery/apimachinery';

import { StoredEntry } from '../etcd3/stored-entry.js';
import type { Entry } from '../storage.js';

/** More than can be under way between etcd's answer and its event. */
const MOST = 2000;

/** A write that etcd has not answered yet. */
interface BegunWrite {
  readonly value: Buffer;
  readonly object: KubeObject | undefined;
}

/**
 * What writes of this process say, until both their answers and their events have come: the cache then need not read and check the
 * same state once more. Where the answer comes first, it keeps the answered entry; where the event does, what was to be written.
 */
export class OwnWrites {
  private readonly entries = new Map<number, StoredEntry>();
  private readonly begun = new Map<string, BegunWrite[]>();

  constructor(
    private readonly state: { readonly revision: number; get(key: string): Entry | undefined },
  ) {}

  /** Makes a write, whose event may come before its answer. */
  async during<T>(key: string, write: BegunWrite, make: () => Promise<T>): Promise<T> {
    const others = this.begun.get(key);
    if (others) others.push(write);
    else this.begun.set(key, [write]);
    try {
      return await make();
    } finally {
      const left = (this.begun.get(key) ?? []).filter((each) => each !== write);
      if (left.length === 0) this.begun.delete(key);
      else this.begun.set(key, left);
    }
  }

  /** The write under way that has brought this state about. */
  writing(key: string, value: Buffer): BegunWrite | undefined {
    return this.begun.get(key)?.find((write) => write.value.equals(value));
  }

  /** The entry that a write has answered, or that of the cache, if its event was faster. */
  note(entry: Entry): Entry {
    const { key, revision } = entry;
    if (revision <= this.state.revision) {
      const kept = this.state.get(key);
      if (kept?.revision !== revision || !(kept instanceof StoredEntry)) return entry;
      kept.trust();
      return kept;
    }
    if (entry instanceof StoredEntry) {
      if (this.entries.size >= MOST) this.entries.clear();
      this.entries.set(revision, entry);
    }
    return entry;
  }

  /** The entry of an event, if it was written here. */
  take(key: string, revision: number, value: Buffer): StoredEntry | undefined {
    if (this.entries.size === 0) return undefined;
    const entry = this.entries.get(revision);
    if (entry?.key !== key) return undefined;
    this.entries.delete(revision);
    // A revision comes twice where etcd was restored from a snapshot.
    return entry.holds(value) ? entry : undefined;
  }

  clear(): void {
    this.entries.clear();
  }
}
