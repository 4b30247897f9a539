/** What `make` gives for some values of labels, each looked up once: for hot paths. */
export function byLabels<T>(
  names: readonly string[],
  make: (labels: Readonly<Record<string, string>>) => T,
): (...values: readonly string[]) => T {
  const known = new Map<string, T>();
  return (...values) => {
    const key = values.join(' ');
    let found = known.get(key);
    if (found === undefined) {
      found = make(Object.fromEntries(names.map((name, i) => [name, values[i] ?? ''])));
      known.set(key, found);
    }
    return found;
  };
}
