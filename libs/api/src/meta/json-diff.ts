import { unifiedDiff } from './unified-diff.js';
import { isDeepEqual } from './list.js';

/** Go's encoding is safe inside of HTML. */
const HTML: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

const linesOf = (value: unknown): string[] =>
  JSON.stringify(value, null, 1)
    .replace(/[<>&\u2028\u2029]/g, (char) => HTML[char] ?? char)
    .split('\n');

/**
 * What changed from `before` to `after`, as a unified diff of pretty JSON: how upstream shows which field must not change
 * (k8s apimachinery pkg/util/diff/diff.go:Diff). `form` gives what is printed of both. '' when nothing did.
 */
export function jsonDiff<T>(before: T, after: T, form: (value: T) => unknown): string {
  if (isDeepEqual(before, after)) return '';
  return unifiedDiff(linesOf(form(before)), linesOf(form(after)));
}
