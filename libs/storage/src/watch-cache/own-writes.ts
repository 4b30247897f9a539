import { StoredEntry } from '../etcd3/stored-entry.js';
import type { Entry } from '../storage.js';

/** More than can be under way between etcd's answer and its event. */
const MOST = 2000;

/**
 * Entries that writes of this process have answered, until their events come: the cache then keeps these, whose bytes are made
 * and are known to be sound, rather than reading the same state once more.
 */
export class OwnWrites {
  private readonly entries = new Map<number, StoredEntry>();

  constructor(
    private readonly state: { readonly revision: number; get(key: string): Entry | undefined },
  ) {}

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
