import type { LogEvent } from './log-event.js';
import type { Labels, ObjectVersion } from './object-version.js';
import { inScope, isSelected } from './object-version.js';

/** What one event made of one key: the object, or its absence. */
export interface Version {
  readonly rv: number;
  readonly object: ObjectVersion | undefined;
  readonly event: LogEvent;
  /** The version before; absent before the key's first event. */
  readonly before: Version | undefined;
  /** Revision of the key's next version; Infinity for the last. */
  nextRv: number;
}

/** The log, ordered by revision, with every key's versions at hand. */
export class LogIndex {
  readonly events: readonly LogEvent[];
  readonly lastRv: number;
  private readonly byKey = new Map<string, Version[]>();
  private readonly scopes = new Map<string, readonly string[]>();

  constructor(events: readonly LogEvent[]) {
    this.events = [...events].sort((a, b) => a.rv - b.rv);
    this.lastRv = this.events.at(-1)?.rv ?? 0;
    for (const event of this.events) this.add(event);
  }

  keys(): IterableIterator<string> {
    return this.byKey.keys();
  }

  versions(key: string): readonly Version[] {
    return this.byKey.get(key) ?? [];
  }

  /** The key's versions with `above < rv < below`. */
  versionsBetween(key: string, above: number, below: number): readonly Version[] {
    const versions = this.versions(key);
    return versions.slice(countUpTo(versions, above), countUpTo(versions, below - 1));
  }

  /** The version in force at `rv`; undefined when the key had none yet. */
  versionAt(key: string, rv: number): Version | undefined {
    const versions = this.versions(key);
    return versions[countUpTo(versions, rv) - 1];
  }

  objectAt(key: string, rv: number): ObjectVersion | undefined {
    return this.versionAt(key, rv)?.object;
  }

  /** The version that was made exactly at `rv`. */
  versionOf(key: string, rv: number): Version | undefined {
    const version = this.versionAt(key, rv);
    return version?.rv === rv ? version : undefined;
  }

  /**
   * The first revision not below `from` at which the key's object (undefined = absent) passes; Infinity when there is none.
   * The last version stays in force for ever.
   */
  firstWhere(
    key: string,
    from: number,
    passes: (object: ObjectVersion | undefined) => boolean,
  ): number {
    const versions = this.versions(key);
    let next = countUpTo(versions, from);
    if (passes(versions[next - 1]?.object)) return from;
    for (; next < versions.length; next++) {
      const version = versions[next];
      if (version && passes(version.object)) return version.rv;
    }
    return Infinity;
  }

  /** Every key of the scope that ever existed, sorted. */
  keysIn(scope: string): readonly string[] {
    let keys = this.scopes.get(scope);
    if (!keys) {
      keys = [...this.byKey.keys()].filter((key) => inScope(scope, key)).sort();
      this.scopes.set(scope, keys);
    }
    return keys;
  }

  /** What a LIST of the scope answers at `rv`, in key order. */
  snapshot(scope: string, rv: number, selector?: Labels): ObjectVersion[] {
    const items: ObjectVersion[] = [];
    for (const key of this.keysIn(scope)) {
      const object = this.objectAt(key, rv);
      if (object && isSelected(selector, object.labels)) items.push(object);
    }
    return items;
  }

  /** Events with `from < rv <= to`, in order. */
  between(from: number, to: number): readonly LogEvent[] {
    return this.events.slice(countUpTo(this.events, from), countUpTo(this.events, to));
  }

  private add(event: LogEvent): void {
    const versions = this.byKey.get(event.key) ?? [];
    if (versions.length === 0) this.byKey.set(event.key, versions);
    const before = versions.at(-1);
    if (before) before.nextRv = event.rv;
    const object = event.type === 'put' ? event.object : undefined;
    versions.push({ rv: event.rv, object, event, before, nextRv: Infinity });
  }
}

/** How many entries, sorted by revision, have one of at most `rv`. */
function countUpTo(sorted: readonly { readonly rv: number }[], rv: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const entry = sorted[middle];
    if (entry && entry.rv <= rv) low = middle + 1;
    else high = middle;
  }
  return low;
}
