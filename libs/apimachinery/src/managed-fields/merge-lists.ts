interface Entry {
  readonly key: string;
  readonly item: unknown;
}

/** The one item of each key; undefined where the key stands there more than once. */
function unique(entries: readonly Entry[]): Map<string, unknown> {
  const found = new Map<string, unknown>();
  for (const { key, item } of entries) found.set(key, found.has(key) ? undefined : item);
  return found;
}

/**
 * Merges an applied list into the live one. Items of the applied list come in its order, those that only the live list
 * has stay where they stand relative to their neighbours (structured-merge-diff typed/merge.go:visitListItems).
 */
export function mergeLists(
  live: readonly Entry[],
  applied: readonly Entry[],
  merge: (live: unknown, applied: unknown) => unknown,
): unknown[] {
  const [mine, theirs] = [unique(live), unique(applied)];
  const shared = applied.map(({ key }) => key).filter((key) => mine.has(key));
  let turn = 0;
  const done = new Set<string>();
  const result: unknown[] = [];
  const take = ({ key, item }: Entry): void => {
    result.push(merge(mine.get(key), item));
    done.add(key);
    if (shared[turn] === key) turn += 1;
  };
  let next = 0;
  for (const { key, item } of live) {
    if (!theirs.has(key)) {
      result.push(item);
      continue;
    }
    // What the applied list has before this item comes first; a shared item whose turn is another's waits for it.
    const isRepeated = done.has(key) && turn === shared.length;
    for (let open = isRepeated || shared[turn] === key; open; open = !done.has(key)) {
      const entry = applied[next];
      if (!entry) break;
      take(entry);
      next += 1;
    }
  }
  for (const entry of applied.slice(next)) take(entry);
  return result;
}
