import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { duplicate } from '@orrery/apimachinery';
import { list } from './list.js';

/** The finding when the condition holds, nothing otherwise. */
export const when = (condition: boolean, finding: FieldError): FieldError[] =>
  condition ? [finding] : [];

/** A finding whose value upstream leaves out (its field.OmitValueType): of a whole rule, or of conditions. */
export const omittedValue = (path: FieldPath, detail: string): FieldError => ({
  type: 'FieldValueInvalid',
  field: path.toString(),
  message: `Invalid value: ${detail}`,
});

/** Findings of a check that needs a value, when there is one. */
export function given<T>(
  value: T | null | undefined,
  check: (value: T) => readonly FieldError[],
): FieldError[] {
  return value === undefined || value === null ? [] : [...check(value)];
}

/** Each value that stood in the list before, at its own place. */
export function duplicates<T>(
  items: readonly T[] | null | undefined,
  keyOf: (item: T) => string | undefined,
  at: (index: number) => FieldPath,
): FieldError[] {
  const seen = new Set<string>();
  return list(items).flatMap((item, i) => {
    const key = keyOf(item);
    if (key === undefined) return [];
    const found = when(seen.has(key), duplicate(at(i), key));
    seen.add(key);
    return found;
  });
}
