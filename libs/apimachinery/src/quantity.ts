export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

/** A resource amount, exact to a billionth (k8s apimachinery/pkg/api/resource/quantity.go). Immutable. */
export interface Quantity {
  readonly nanos: bigint;
  readonly format: QuantityFormat;
}

export class QuantityError extends Error {
  override readonly name = 'QuantityError';
}

const NANO = 1_000_000_000n;
const MAX = (2n ** 63n - 1n) * NANO;
const DECIMAL: readonly [string, number][] = [
  ['n', -9],
  ['u', -6],
  ['m', -3],
  ['', 0],
  ['k', 3],
  ['M', 6],
  ['G', 9],
  ['T', 12],
  ['P', 15],
  ['E', 18],
];
const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];

const FORM = /^([+-]?)(\d*)(?:\.(\d*))?(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?\d{1,10})?$/;
const REFUSED =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

interface Scale {
  readonly format: QuantityFormat;
  readonly multiplier: bigint;
  readonly divisor: bigint;
}

function scaleOf(suffix: string): Scale {
  const binary = BINARY.indexOf(suffix);
  if (binary > 0) {
    return { format: 'BinarySI', multiplier: 1024n ** BigInt(binary), divisor: 1n };
  }
  const known = DECIMAL.find(([name]) => name === suffix);
  const exponent = known ? known[1] : Number(suffix.slice(1));
  if (Math.abs(exponent) > 1000) throw new QuantityError(REFUSED);
  return {
    format: known ? 'DecimalSI' : 'DecimalExponent',
    multiplier: 10n ** BigInt(Math.max(exponent, 0)),
    divisor: 10n ** BigInt(Math.max(-exponent, 0)),
  };
}

/** Rounds away from zero, as Go does with amounts finer than a billionth. */
function divideUp(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  if (value % divisor === 0n) return quotient;
  return value > 0n ? quotient + 1n : quotient - 1n;
}

/** Parses `100m`, `1.5Gi`, `1e3`, or a JSON number; throws {@link QuantityError}. */
export function parseQuantity(input: string | number): Quantity {
  const found = FORM.exec(String(input));
  const [, sign, whole = '', fraction = '', suffix = ''] = found ?? [];
  if (!found || whole + fraction === '' || whole.length + fraction.length > 1000) {
    throw new QuantityError(REFUSED);
  }
  const { format, multiplier, divisor } = scaleOf(suffix);
  const digits = BigInt(whole + fraction) * multiplier * NANO;
  const nanos = divideUp(digits, divisor * 10n ** BigInt(fraction.length));
  const capped = nanos > MAX && whole.length + fraction.length > 18 ? MAX : nanos;
  return { nanos: sign === '-' ? -capped : capped, format };
}

/** The canonical text: no fraction, the largest suffix that is exact. */
export function formatQuantity({ nanos, format }: Quantity): string {
  if (nanos === 0n) return '0';
  const small = nanos > -1024n * NANO && nanos < 1024n * NANO;
  if (format === 'BinarySI' && !small && nanos % NANO === 0n) return formatBinary(nanos / NANO);
  return formatDecimal(nanos, format);
}

function formatBinary(value: bigint): string {
  let [amount, power] = [value, 0];
  while (amount % 1024n === 0n && power < BINARY.length - 1) {
    amount /= 1024n;
    power += 1;
  }
  return `${amount}${BINARY[power]}`;
}

function formatDecimal(nanos: bigint, format: QuantityFormat): string {
  let [amount, exponent] = [nanos, -9];
  while (amount % 1000n === 0n && exponent < 18) {
    amount /= 1000n;
    exponent += 3;
  }
  if (format === 'DecimalExponent') return exponent === 0 ? `${amount}` : `${amount}e${exponent}`;
  return `${amount}${DECIMAL.find(([, e]) => e === exponent)?.[0] ?? ''}`;
}

/** The canonical text of a quantity text: `1000m` becomes `1`. */
export const canonicalQuantity = (input: string | number): string =>
  formatQuantity(parseQuantity(input));

export const zeroQuantity: Quantity = { nanos: 0n, format: 'DecimalSI' };

/** Negative, zero or positive, for sorting. */
export const compareQuantities = (a: Quantity, b: Quantity): number =>
  a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0;

/** The sum, in the format of the first unless that is zero. */
export const addQuantities = (a: Quantity, b: Quantity): Quantity => ({
  nanos: a.nanos + b.nanos,
  format: a.nanos === 0n ? b.format : a.format,
});

export const subQuantities = (a: Quantity, b: Quantity): Quantity =>
  addQuantities(a, { nanos: -b.nanos, format: b.format });

/** Whole units, rounded away from zero (Go's Value()). */
export const quantityValue = (q: Quantity): number => Number(divideUp(q.nanos, NANO));

/** Thousandths, rounded away from zero (Go's MilliValue()). */
export const quantityMilliValue = (q: Quantity): number => Number(divideUp(q.nanos, 1_000_000n));

export const quantityFromMilli = (
  milli: number | bigint,
  format: QuantityFormat = 'DecimalSI',
): Quantity => ({ nanos: BigInt(milli) * 1_000_000n, format });

export const quantityFromValue = (
  value: number | bigint,
  format: QuantityFormat = 'DecimalSI',
): Quantity => ({ nanos: BigInt(value) * NANO, format });
