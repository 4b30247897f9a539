import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { canonicalQuantity, compareQuantities, invalid, parseQuantity } from '@orrery/apimachinery';
import { entries } from './list.js';
import { NOT_NEGATIVE } from './fields.js';

const SCALES: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

const SYNTAX = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([KMGTPE]i|[numkMGTPE])|[eE]([+-]?\d+))?$/;

const QUANTITY_MESSAGE =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/** The value of a quantity such as `100m` or `1Gi`; NaN when it is not one. Exact enough to compare and to validate. */
export function quantityValue(text: unknown): number {
  const match = SYNTAX.exec(
    typeof text === 'number' ? String(text) : typeof text === 'string' ? text : '',
  );
  if (!match) return Number.NaN;
  const exponent = match[3] === undefined ? 1 : 10 ** Number(match[3]);
  return Number(match[1]) * (SCALES[match[2] ?? ''] ?? Number.NaN) * exponent;
}

/** A quantity that may not be negative. */
export function validateQuantity(text: unknown, path: FieldPath): FieldError[] {
  const value = quantityValue(text);
  if (Number.isNaN(value)) return [invalid(path, text, QUANTITY_MESSAGE)];
  return value < 0 ? [invalid(path, canonicalAmount(text), NOT_NEGATIVE)] : [];
}

/** Every quantity of a resource list, each under its own name. */
export function validateQuantities(
  resources: Readonly<Record<string, string>> | undefined,
  path: FieldPath,
): FieldError[] {
  return entries(resources).flatMap(([name, text]) => validateQuantity(text, path.key(name)));
}

/** How Go prints a quantity: `1000m` as `1`. What is none is printed as it is. */
export function canonicalAmount(text: unknown): string {
  try {
    return canonicalQuantity(text as string | number);
  } catch {
    return String(text);
  }
}

/** Less than, equal to or greater than 0, exactly; NaN when either is no quantity. */
export function compareAmounts(a: unknown, b: unknown): number {
  try {
    return compareQuantities(parseQuantity(a as string), parseQuantity(b as string));
  } catch {
    return Number.NaN;
  }
}
