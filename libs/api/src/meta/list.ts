/** The elements of an optional list; nulls, which decoding may leave in, are passed over. */
export function list<T>(items: readonly T[] | null | undefined): readonly T[] {
  return Array.isArray(items)
    ? (items as readonly T[]).filter((item) => item !== null && item !== undefined)
    : [];
}

/** The entries of an optional map, in key order as upstream iterates for stable messages. */
export function entries<T>(map: Readonly<Record<string, T>> | null | undefined): [string, T][] {
  return map && typeof map === 'object'
    ? Object.entries(map).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    : [];
}

/** What a map has under a key that a user chose; `constructor` is a key like any other. */
export function own<T>(map: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return map && Object.hasOwn(map, key) ? map[key] : undefined;
}

/** Calls `check` for each element with its index and gathers what it finds. */
export function eachOf<T, R>(
  items: readonly T[] | null | undefined,
  check: (item: T, index: number) => readonly R[],
): R[] {
  return list(items).flatMap((item, index) => check(item, index));
}

/** True for values that are equal as JSON; absent and undefined fields are the same. */
export function isDeepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    return (a ?? undefined) === (b ?? undefined);
  }
  if (Array.isArray(a) || Array.isArray(b))
    return Array.isArray(a) && Array.isArray(b) && areEqualLists(a, b);
  return areEqualMaps(a as Record<string, unknown>, b as Record<string, unknown>);
}

/** An item that is null is as good as none, as a field is. */
function areEqualLists(a: readonly unknown[], b: readonly unknown[]): boolean {
  const length = Math.max(a.length, b.length);
  for (let i = 0; i < length; i++) if (!isDeepEqual(a[i], b[i])) return false;
  return true;
}

function areEqualMaps(
  a: Readonly<Record<string, unknown>>,
  b: Readonly<Record<string, unknown>>,
): boolean {
  for (const key of Object.keys(a)) if (!isDeepEqual(a[key], own(b, key))) return false;
  for (const key of Object.keys(b))
    if (!Object.hasOwn(a, key) && !isDeepEqual(undefined, b[key])) return false;
  return true;
}
