import type { Quantity } from '@orrery/apimachinery';
import {
  addQuantities,
  compareQuantities,
  parseQuantity,
  quantityFromValue,
  subQuantities,
} from '@orrery/apimachinery';
import { OpaqueValue } from '../values/value.js';
import type { Overload } from './overload.js';
import { fail, fn } from './overload.js';

const NANO = 1_000_000_000n;

class QuantityValue extends OpaqueValue {
  readonly typeName = 'kubernetes.Quantity';

  constructor(readonly quantity: Quantity) {
    super();
  }

  equals(other: OpaqueValue): boolean {
    return other instanceof QuantityValue && other.quantity.nanos === this.quantity.nanos;
  }
}

function read(text: string): QuantityValue | undefined {
  try {
    return new QuantityValue(parseQuantity(text));
  } catch {
    return undefined;
  }
}

/** The quantity that a text is; undefined when it is none. */
export const quantityOf = (text: string): OpaqueValue | undefined => read(text);

const REFUSED =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

const isInteger = ({ quantity }: QuantityValue): boolean =>
  quantity.nanos % NANO === 0n &&
  BigInt.asIntN(64, quantity.nanos / NANO) === quantity.nanos / NANO;

const sign = ({ quantity }: QuantityValue): bigint =>
  quantity.nanos === 0n ? 0n : quantity.nanos > 0n ? 1n : -1n;

const fromInt = (value: bigint): Quantity => {
  const small = quantityFromValue(0);
  return { ...small, nanos: value * NANO };
};

const compare = (a: QuantityValue, b: QuantityValue): number =>
  compareQuantities(a.quantity, b.quantity);

/** Kubernetes' quantity library. */
export const quantities: readonly Overload[] = [
  fn(
    'quantity(string): Quantity',
    'string_to_quantity',
    (text: string) => read(text) ?? fail(REFUSED),
  ),
  fn('isQuantity(string): bool', 'is_quantity_string', (text: string) => read(text) !== undefined),
  // A function alone, whatever upstream's documentation says (k8s apiserver pkg/cel/library/quantity.go).
  fn('sign(Quantity): int', 'quantity_sign', sign),
  fn(
    'Quantity.isGreaterThan(Quantity): bool',
    'quantity_is_greater_than',
    (a: QuantityValue, b: QuantityValue) => compare(a, b) > 0,
  ),
  fn(
    'Quantity.isLessThan(Quantity): bool',
    'quantity_is_less_than',
    (a: QuantityValue, b: QuantityValue) => compare(a, b) < 0,
  ),
  fn(
    'Quantity.compareTo(Quantity): int',
    'quantity_compare_to',
    (a: QuantityValue, b: QuantityValue) => BigInt(Math.sign(compare(a, b))),
  ),
  fn(
    'Quantity.asApproximateFloat(): double',
    'quantity_get_float',
    ({ quantity }: QuantityValue) => Number(quantity.nanos) / 1e9,
  ),
  fn('Quantity.asInteger(): int', 'quantity_get_int', (one: QuantityValue) =>
    isInteger(one) ? one.quantity.nanos / NANO : fail('cannot convert value to integer'),
  ),
  fn('Quantity.isInteger(): bool', 'quantity_is_integer', isInteger),
  fn(
    'Quantity.add(Quantity): Quantity',
    'quantity_add',
    (a: QuantityValue, b: QuantityValue) =>
      new QuantityValue(addQuantities(a.quantity, b.quantity)),
  ),
  fn(
    'Quantity.add(int): Quantity',
    'quantity_add_int',
    (a: QuantityValue, b: bigint) => new QuantityValue(addQuantities(a.quantity, fromInt(b))),
  ),
  fn(
    'Quantity.sub(Quantity): Quantity',
    'quantity_sub',
    (a: QuantityValue, b: QuantityValue) =>
      new QuantityValue(subQuantities(a.quantity, b.quantity)),
  ),
  fn(
    'Quantity.sub(int): Quantity',
    'quantity_sub_int',
    (a: QuantityValue, b: bigint) => new QuantityValue(subQuantities(a.quantity, fromInt(b))),
  ),
];
