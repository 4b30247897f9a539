import type { StoredEntry } from '../etcd3/stored-entry.js';

/** The entries of one folder of keys (`/registry/pods/ns1/`), in key order. */
interface Directory {
  readonly name: string;
  readonly entries: StoredEntry[];
}

export interface IndexPage {
  readonly entries: readonly StoredEntry[];
  /** Entries below the prefix behind the last one of the page. */
  readonly remaining: number;
}

/**
 * Entries by key and in key order. Ordered by folder, so that a write moves only its neighbours in one namespace.
 * Keys are ASCII (Kubernetes names are), so the order of JavaScript strings is etcd's.
 */
export class KeyIndex {
  private readonly byKey = new Map<string, StoredEntry>();
  private readonly directories: Directory[] = [];

  get size(): number {
    return this.byKey.size;
  }

  get(key: string): StoredEntry | undefined {
    return this.byKey.get(key);
  }

  /** Stores the entry and answers the one it replaces. */
  set(entry: StoredEntry): StoredEntry | undefined {
    const { key } = entry;
    const before = this.byKey.get(key);
    this.byKey.set(key, entry);
    const { entries } = this.directoryOf(key);
    const last = entries.at(-1);
    if (last === undefined || last.key < key) entries.push(entry);
    else entries.splice(firstAtOrAfter(entries, entryKey, key), before ? 1 : 0, entry);
    return before;
  }

  delete(key: string): StoredEntry | undefined {
    const before = this.byKey.get(key);
    if (!before) return undefined;
    this.byKey.delete(key);
    const directory = this.directoryOf(key);
    directory.entries.splice(firstAtOrAfter(directory.entries, entryKey, key), 1);
    if (directory.entries.length === 0) {
      this.directories.splice(firstAtOrAfter(this.directories, directoryName, directory.name), 1);
    }
    return before;
  }

  clear(): void {
    this.byKey.clear();
    this.directories.length = 0;
  }

  /** Entries below `prefix` behind the key `after`, at most `limit` of them. */
  page(prefix: string, after = '', limit = Infinity): IndexPage {
    const directories = this.below(prefix);
    const [only] = directories;
    if (!only) return { entries: [], remaining: 0 };
    if (directories.length === 1) return slice(only.entries, after, limit);
    const nested = directories.some(({ name }, i) => directories[i + 1]?.name.startsWith(name));
    if (nested) {
      const all = directories.flatMap(({ entries }) => entries);
      return slice(
        all.sort((a, b) => (a.key < b.key ? -1 : 1)),
        after,
        limit,
      );
    }
    return join(directories, after, limit);
  }

  private below(prefix: string): readonly Directory[] {
    const start = firstAtOrAfter(this.directories, directoryName, prefix);
    let end = start;
    while (this.directories[end]?.name.startsWith(prefix)) end++;
    return this.directories.slice(start, end);
  }

  private directoryOf(key: string): Directory {
    const name = key.slice(0, key.lastIndexOf('/') + 1);
    const at = firstAtOrAfter(this.directories, directoryName, name);
    const found = this.directories[at];
    if (found?.name === name) return found;
    const directory: Directory = { name, entries: [] };
    this.directories.splice(at, 0, directory);
    return directory;
  }
}

const entryKey = (entry: StoredEntry): string => entry.key;
const directoryName = (directory: Directory): string => directory.name;

/** Binary search: the first index whose key is not smaller than `key`. */
export function firstAtOrAfter<T, K extends string | number>(
  items: readonly T[],
  keyOf: (item: T) => K,
  key: K,
): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = items[middle];
    if (item !== undefined && keyOf(item) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The index of the first entry behind the key `after`. */
function firstBehind(entries: readonly StoredEntry[], after: string): number {
  if (after === '') return 0;
  const at = firstAtOrAfter(entries, entryKey, after);
  return entries[at]?.key === after ? at + 1 : at;
}

function slice(entries: readonly StoredEntry[], after: string, limit: number): IndexPage {
  const start = firstBehind(entries, after);
  const end = Math.min(entries.length, start + limit);
  return { entries: entries.slice(start, end), remaining: entries.length - end };
}

function join(directories: readonly Directory[], after: string, limit: number): IndexPage {
  const page: StoredEntry[] = [];
  let remaining = 0;
  for (const { entries } of directories) {
    const last = entries.at(-1);
    if (!last || last.key <= after) continue;
    const start = firstBehind(entries, after);
    const end = Math.min(entries.length, start + limit - page.length);
    for (let i = start; i < end; i++) {
      const entry = entries[i];
      if (entry) page.push(entry);
    }
    remaining += entries.length - end;
  }
  return { entries: page, remaining };
}
