/** Structural equality of JSON values; absent and undefined are the same, order of keys does not matter. */
export function deepEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b) || a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item, i) => deepEqual(item, b[i]))
    );
  }
  return equalFields(a as Record<string, unknown>, b as Record<string, unknown>);
}

/** JSON has neither functions nor the prototype, which are read for names such as `constructor` and `__proto__`. */
const isInherited = (value: unknown): boolean =>
  typeof value === 'function' || value === Object.prototype;

type Fields = Readonly<Record<string, unknown>>;

function equalFields(left: Fields, right: Fields): boolean {
  const keys = Object.keys(left);
  let count = 0;
  for (const key of keys) {
    const value = left[key];
    if (value === undefined) continue;
    const other = right[key];
    if (other === undefined || isInherited(other)) return false;
    if (value !== other && !deepEqual(value, other)) return false;
    count += 1;
  }
  const others = Object.keys(right);
  if (others.length === count) return true;
  return others.filter((key) => right[key] !== undefined).length === count;
}

const compareKeys = (a: readonly [string, unknown], b: readonly [string, unknown]): number =>
  a[0] < b[0] ? -1 : 1;

/** JSON with sorted keys: equal values give equal text. */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const entries = Object.entries(value)
    .filter(([, entry]) => entry !== undefined)
    .sort(compareKeys);
  return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${canonicalJson(entry)}`).join(',')}}`;
}
