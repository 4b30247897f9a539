import type { StoredEntry } from '../etcd3/stored-entry.js';
import type { Entry } from '../storage.js';
import type { BasePage } from './fork-base.js';
import type { OverlayState } from './overlay-value.js';

/** An overlay's state and its key, in key order. */
export interface OverlayItem {
  readonly key: string;
  readonly state: OverlayState;
}

export interface MergedPage {
  readonly entries: readonly Entry[];
  readonly remaining: number;
}

export interface MergeOptions {
  /** All of the overlay behind the key the page starts after. */
  readonly overlay: readonly OverlayItem[];
  /** The base's entries behind `after`, at most `limit` of them. */
  readonly base: (after: string | undefined, limit: number) => Promise<BasePage>;
  readonly after?: string;
  readonly limit?: number;
}

const entryOf = ({ state }: OverlayItem): StoredEntry | undefined =>
  state.kind === 'object' ? state.entry : undefined;

/** Overlay entries minus the base's that they hide: by how much a count of the base's rest is to be changed. */
function difference(rest: readonly OverlayItem[]): number {
  let sum = 0;
  for (const { state } of rest)
    sum += (state.kind === 'object' ? 1 : 0) - (state.over === undefined ? 0 : 1);
  return sum;
}

/** One page of what a fork holds: base and overlay in key order, the overlay hiding what it stands over. */
export async function mergePage({
  overlay,
  base,
  after,
  limit = Infinity,
}: MergeOptions): Promise<MergedPage> {
  const entries: Entry[] = [];
  let next = 0;
  let from = after;
  /** Takes the overlay's entries before `key` (all without one), and answers whether one is of that very key. */
  const takeUntil = (key?: string): boolean => {
    for (let item = overlay[next]; item && entries.length < limit; item = overlay[next]) {
      if (key !== undefined && item.key > key) return false;
      const entry = entryOf(item);
      if (entry) entries.push(entry);
      next++;
      if (item.key === key) return true;
    }
    return false;
  };
  for (;;) {
    // A base entry may be hidden: ask for enough to fill the page even then.
    const page = await base(from, limit - entries.length + hidden(overlay, next));
    for (const [i, entry] of page.entries.entries()) {
      const isHidden = takeUntil(entry.key);
      if (entries.length >= limit && !isHidden) {
        const rest = page.entries.length - i + page.remaining;
        return { entries, remaining: rest + difference(overlay.slice(next)) };
      }
      if (!isHidden) entries.push(entry);
    }
    const last = page.entries.at(-1);
    if (page.remaining === 0 || !last) {
      takeUntil();
      return { entries, remaining: difference(overlay.slice(next)) };
    }
    if (entries.length >= limit)
      return { entries, remaining: page.remaining + difference(overlay.slice(next)) };
    from = last.key;
  }
}

const hidden = (overlay: readonly OverlayItem[], next: number): number => {
  let count = 0;
  for (let i = next; i < overlay.length; i++) if (overlay[i]?.state.over !== undefined) count++;
  return count;
};
