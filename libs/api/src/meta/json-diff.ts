import { isDeepEqual } from './list.js';

const CONTEXT = 3;

/** Keys in order and absent fields left out, so that equal objects print alike. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, field]) => [key, sorted(field)]),
  );
}

const linesOf = (value: unknown): string[] =>
  (JSON.stringify(sorted(value), null, 1) ?? 'null').split('\n');

/**
 * What changed from `before` to `after`, as one hunk of a unified diff of pretty JSON: how upstream shows which
 * field of a spec must not change (k8s apimachinery pkg/util/diff). '' when nothing did.
 */
export function jsonDiff(before: unknown, after: unknown): string {
  if (isDeepEqual(before, after)) return '';
  const [a, b] = [linesOf(before), linesOf(after)];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let same = 0;
  const most = Math.min(a.length, b.length) - start;
  while (same < most && a[a.length - 1 - same] === b[b.length - 1 - same]) same++;
  const from = Math.max(0, start - CONTEXT);
  const tail = Math.min(same, CONTEXT);
  const removed = a.slice(start, a.length - same).map((line) => `-${line}`);
  const added = b.slice(start, b.length - same).map((line) => `+${line}`);
  const around = (lines: readonly string[]): string[] => lines.map((line) => ` ${line}`);
  const size = (changed: readonly string[]): number => start - from + changed.length + tail;
  return [
    `@@ -${from + 1},${size(removed)} +${from + 1},${size(added)} @@`,
    ...around(a.slice(from, start)),
    ...removed,
    ...added,
    ...around(a.slice(a.length - same, a.length - same + tail)),
    '',
  ].join('\n');
}
