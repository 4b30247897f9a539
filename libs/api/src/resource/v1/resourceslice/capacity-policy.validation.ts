import type { FieldError, FieldPath, Quantity } from '@orrery/apimachinery';
import {
  addQuantities,
  compareQuantities,
  forbidden,
  formatQuantity,
  invalid,
  parseQuantity,
  required,
  zeroQuantity,
} from '@orrery/apimachinery';
import type {
  CapacityRequestPolicy,
  CapacityRequestPolicyRange,
  DeviceCapacity,
} from '../../../gen/types/resource.v1.js';
import { when } from '../../../meta/findings.js';
import { list } from '../../../meta/list.js';
import { validateBounded } from '../device/device-names.js';

const MAX_OPTIONS = 10;

/** What is no quantity, which decoding does not let through, counts as none. */
function quantity(value: string | number | undefined): Quantity {
  try {
    return parseQuantity(value ?? '0');
  } catch {
    return zeroQuantity;
  }
}

const isMore = (a: Quantity, b: Quantity): boolean => compareQuantities(a, b) > 0;

/** An amount that is refused, printed as text. */
const refuse = (path: FieldPath, value: Quantity, detail: string): FieldError =>
  invalid(path, formatQuantity(value), detail);

/** Whole units above zero, rounded up. */
const unitsOf = ({ nanos }: Quantity): bigint => (nanos + 999_999_999n) / 1_000_000_000n;

function validateValues(
  values: readonly Quantity[],
  preset: Quantity,
  most: Quantity,
  path: FieldPath,
): FieldError[] {
  const bound = { max: MAX_OPTIONS, keyOf: (one: Quantity) => String(unitsOf(one)) };
  const isKnown = values.some((one) => compareQuantities(one, preset) === 0);
  return [
    ...values.flatMap((one, i) => {
      const before = values[i - 1];
      return before && isMore(before, one)
        ? [refuse(path.index(i), one, 'values must be sorted in ascending order')]
        : [];
    }),
    ...validateBounded(values, path, bound, (one, at) =>
      when(
        isMore(one, most),
        refuse(at, one, `option is larger than capacity value: ${formatQuantity(most)}`),
      ),
    ),
    ...when(
      !isKnown,
      refuse(path, preset, 'default value is not valid according to the requestPolicy'),
    ),
  ];
}

function validateStep(
  value: Quantity,
  { min, step }: { readonly min: Quantity; readonly step: Quantity },
  path: FieldPath,
): FieldError[] {
  const units = unitsOf(step);
  const isWhole = units !== 0n && (unitsOf(value) - unitsOf(min)) % units === 0n;
  const from = `value is not a multiple of a given step (${formatQuantity(step)}) from (${formatQuantity(min)})`;
  return when(!isWhole, refuse(path, value, from));
}

interface Range {
  readonly min: Quantity;
  readonly max: Quantity | undefined;
  readonly preset: Quantity;
  readonly most: Quantity;
}

function validateMax({ min, max, preset, most }: Range, path: FieldPath): FieldError[] {
  if (!max) return [];
  return [
    ...when(isMore(min, max), refuse(path, min, `min is larger than max: ${formatQuantity(max)}`)),
    ...when(
      isMore(max, most),
      refuse(path, max, `max is larger than capacity value: ${formatQuantity(most)}`),
    ),
    ...when(
      isMore(preset, max),
      refuse(path, preset, `default is more than max: ${formatQuantity(max)}`),
    ),
  ];
}

function validateSteps(
  { min, max, preset, most }: Range,
  step: Quantity,
  path: FieldPath,
): FieldError[] {
  const next = addQuantities(min, step);
  const shown = `one step ${formatQuantity(next)} is larger than capacity value: ${formatQuantity(most)}`;
  return [
    ...when(isMore(next, most), refuse(path, step, shown)),
    ...validateStep(preset, { min, step }, path),
    ...(max ? validateStep(max, { min, step }, path) : []),
  ];
}

function validateRange(
  range: CapacityRequestPolicyRange,
  preset: Quantity,
  most: Quantity,
  path: FieldPath,
): FieldError[] {
  const at = path.child('min');
  if (range.min === undefined) return [required(at, 'required when validRange is defined')];
  const min = quantity(range.min);
  const max = range.max === undefined ? undefined : quantity(range.max);
  const all = { min, max, preset, most };
  return [
    ...when(
      isMore(min, most),
      refuse(at, min, `min is larger than capacity value: ${formatQuantity(most)}`),
    ),
    ...when(
      isMore(min, preset),
      refuse(at, preset, `default is less than min: ${formatQuantity(min)}`),
    ),
    ...validateMax(all, path.child('max')),
    ...(range.step === undefined
      ? []
      : validateSteps(all, quantity(range.step), path.child('step'))),
  ];
}

function validatePolicy(
  policy: CapacityRequestPolicy,
  most: Quantity,
  path: FieldPath,
): FieldError[] {
  const { validRange } = policy;
  const values = list(policy.validValues).map(quantity);
  const both =
    'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time';
  if (values.length > 0 && validRange) return [forbidden(path, both)];
  const name = values.length > 0 ? 'validValues' : 'validRange';
  if (values.length === 0 && !validRange) return [];
  if (policy.default === undefined || policy.default === null)
    return [required(path.child('default'), `required when ${name} is defined`)];
  const preset = quantity(policy.default);
  return validRange
    ? validateRange(validRange, preset, most, path.child(name))
    : validateValues(values, preset, most, path.child(name));
}

/** Parts of a capacity can be asked for only where several may have the device (…/validation.go:validateRequestPolicy). */
export function validateCapacity(
  { value, requestPolicy }: Partial<DeviceCapacity>,
  isShared: boolean,
  path: FieldPath,
): FieldError[] {
  if (!requestPolicy) return [];
  const at = path.child('requestPolicy');
  return isShared
    ? validatePolicy(requestPolicy, quantity(value), at)
    : [forbidden(at, 'allowMultipleAllocations must be true')];
}
