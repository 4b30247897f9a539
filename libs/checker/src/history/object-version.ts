export type Labels = Readonly<Record<string, string>>;

/**
 * One version of an object as an observer saw it. `value` is a digest of everything the workload varies besides the labels:
 * two versions with the same uid, value and labels are the same object to the checkers.
 */
export interface ObjectVersion {
  /** `resource/namespace/name`, or `resource/name`. */
  readonly key: string;
  readonly uid: string;
  readonly rv: number;
  readonly value: string;
  readonly labels?: Labels;
}

/** True when `key` lies below `scope`: `pods/ns1` holds `pods/ns1/a` and never `pods/ns10/a`. */
export function inScope(scope: string, key: string): boolean {
  return key.length > scope.length && key.startsWith(scope) && key.charAt(scope.length) === '/';
}

/** True when every label of the selector has its value on the object; no selector selects everything. */
export function isSelected(selector: Labels | undefined, labels: Labels | undefined): boolean {
  if (!selector) return true;
  return Object.entries(selector).every(([name, value]) => labels?.[name] === value);
}

/** A text that is equal exactly when the labels are. */
export function canonicalLabels(labels: Labels | undefined): string {
  if (!labels) return '';
  const names = Object.keys(labels);
  if (names.length === 0) return '';
  return JSON.stringify(names.sort().map((name) => [name, labels[name]]));
}

/** Same uid, value and labels, whatever the revision. */
export function isSameContent(a: ObjectVersion, b: ObjectVersion): boolean {
  return (
    a.uid === b.uid &&
    a.value === b.value &&
    canonicalLabels(a.labels) === canonicalLabels(b.labels)
  );
}

/** Same content at the same revision. */
export function isSameVersion(a: ObjectVersion, b: ObjectVersion): boolean {
  return a.rv === b.rv && a.key === b.key && isSameContent(a, b);
}
