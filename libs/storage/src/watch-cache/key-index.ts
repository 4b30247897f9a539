import type { StoredEntry } from '../etcd3/stored-entry.js';

/** The entries of one folder of keys (`/registry/pods/ns1/`), in key order. Only its owner may change it. */
interface Directory {
  readonly name: string;
  readonly entries: StoredEntry[];
  readonly owner: object;
}

export interface IndexPage {
  readonly entries: readonly StoredEntry[];
  /** Entries below the prefix behind the last one of the page. */
  readonly remaining: number;
}

/**
 * Entries by key and in key order. Ordered by folder, so that a write moves only its neighbours in one namespace.
 * Copy-on-write: a clone shares every folder until one of the two changes it.
 * Keys are ASCII (Kubernetes names are), so the order of JavaScript strings is etcd's.
 */
export class KeyIndex {
  private directories: Directory[] = [];
  /** Marks the directories that are this index's alone. */
  private owner = {};
  /** The list of directories is a clone's too. */
  private isShared = false;

  /** The same entries, apart from now on. Costs a few words, whatever the size. */
  clone(): KeyIndex {
    const copy = new KeyIndex();
    copy.directories = this.directories;
    copy.isShared = true;
    this.isShared = true;
    this.owner = {};
    return copy;
  }

  get(key: string): StoredEntry | undefined {
    const entries = this.directories[this.placeOf(folderOf(key))]?.entries ?? [];
    const found = entries[firstAtOrAfter(entries, entryKey, key)];
    return found?.key === key ? found : undefined;
  }

  /** Stores the entry and answers the one it replaces. */
  set(entry: StoredEntry): StoredEntry | undefined {
    const { key } = entry;
    const { entries } = this.directoryOf(key);
    const last = entries.at(-1);
    if (last === undefined || last.key < key) {
      entries.push(entry);
      return undefined;
    }
    const at = firstAtOrAfter(entries, entryKey, key);
    const before = entries[at]?.key === key ? entries[at] : undefined;
    entries.splice(at, before ? 1 : 0, entry);
    return before;
  }

  delete(key: string): StoredEntry | undefined {
    const before = this.get(key);
    if (!before) return undefined;
    const { name, entries } = this.directoryOf(key);
    entries.splice(firstAtOrAfter(entries, entryKey, key), 1);
    if (entries.length === 0) this.directories.splice(this.placeOf(name), 1);
    return before;
  }

  clear(): void {
    this.directories = [];
    this.isShared = false;
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

  /** How many entries there are below `prefix`. */
  count(prefix: string): number {
    return this.below(prefix).reduce((sum, { entries }) => sum + entries.length, 0);
  }

  private below(prefix: string): readonly Directory[] {
    const start = firstAtOrAfter(this.directories, directoryName, prefix);
    let end = start;
    while (this.directories[end]?.name.startsWith(prefix)) end++;
    return this.directories.slice(start, end);
  }

  /** The folder of the key, ready to be changed. */
  private directoryOf(key: string): Directory {
    if (this.isShared) {
      this.directories = this.directories.slice();
      this.isShared = false;
    }
    const { owner } = this;
    const name = folderOf(key);
    const at = this.placeOf(name);
    const found = this.directories[at];
    const isThere = found?.name === name;
    if (isThere && found.owner === owner) return found;
    const mine: Directory = { name, entries: isThere ? found.entries.slice() : [], owner };
    this.directories.splice(at, isThere ? 1 : 0, mine);
    return mine;
  }

  private placeOf(name: string): number {
    return firstAtOrAfter(this.directories, directoryName, name);
  }
}

const folderOf = (key: string): string => key.slice(0, key.lastIndexOf('/') + 1);
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
