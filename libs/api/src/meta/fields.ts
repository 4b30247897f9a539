import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { invalid, notSupported, required } from '@orrery/apimachinery';
import { isIP, isIPv6 } from 'node:net';

export const NOT_NEGATIVE = 'must be greater than or equal to 0';

/** Integers that may be absent but not negative. */
export function nonNegative(value: number | null | undefined, path: FieldPath): FieldError[] {
  return typeof value === 'number' && value < 0 ? [invalid(path, value, NOT_NEGATIVE)] : [];
}

/** One of a set; absent is a finding of its own. */
export function oneOf(
  value: string | undefined,
  supported: readonly string[],
  path: FieldPath,
  isRequired = true,
): FieldError[] {
  if (!value) return isRequired ? [required(path)] : [];
  return supported.includes(value) ? [] : [notSupported(path, value, supported)];
}

/** As {@link oneOf}, where upstream tells the legal values in an order of its own. */
export function oneOfThese(
  value: string | null | undefined,
  supported: readonly string[],
  path: FieldPath,
): FieldError[] {
  if (!value) return [required(path)];
  return supported.includes(value) ? [] : [notSupported(path, value, supported, 'as given')];
}

/** One of a set, where it is given; an empty text is given, as Go's pointers tell. */
export function supported(
  value: string | null | undefined,
  values: readonly string[],
  path: FieldPath,
): FieldError[] {
  if (value === undefined || value === null || values.includes(value)) return [];
  return [notSupported(path, value, values)];
}

/** As {@link supported}, where absent is a finding. */
export function requiredOf(
  value: string | null | undefined,
  values: readonly string[],
  path: FieldPath,
): FieldError[] {
  return value === undefined || value === null ? [required(path)] : supported(value, values, path);
}

/** Refuses an absent or empty string or object. */
export function present(value: unknown, path: FieldPath, detail?: string): FieldError[] {
  return value === undefined || value === null || value === '' ? [required(path, detail)] : [];
}

export function validateIp(value: string | undefined, path: FieldPath): FieldError[] {
  return isIP(String(value ?? '')) === 0
    ? [invalid(path, value ?? '', 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')]
    : [];
}

/** True for `address/bits` with bits in range. */
export function isCidr(value: string | undefined): boolean {
  const [address = '', bits = '', ...rest] = String(value ?? '').split('/');
  const family = isIP(address);
  return (
    rest.length === 0 &&
    family !== 0 &&
    /^\d{1,3}$/.test(bits) &&
    Number(bits) <= (family === 4 ? 32 : 128)
  );
}

export function validateCidr(value: string | undefined, path: FieldPath): FieldError[] {
  return isCidr(value)
    ? []
    : [
        invalid(
          path,
          value ?? '',
          'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
        ),
      ];
}

export const ipFamilyOf = (address: string): 'IPv4' | 'IPv6' => (isIPv6(address) ? 'IPv6' : 'IPv4');

/** Numbers as they are, `N%` of `total`, rounded up unless told otherwise; NaN when it is neither. */
export function scaledValue(
  value: number | string | undefined,
  total: number,
  rounding: 'up' | 'down' = 'up',
): number {
  if (typeof value === 'number') return value;
  const percent = /^(\d+)%$/.exec(String(value ?? ''))?.[1];
  if (percent === undefined) return Number.NaN;
  const exact = (Number(percent) * total) / 100;
  return rounding === 'up' ? Math.ceil(exact) : Math.floor(exact);
}

/** A number or the number of a percentage; 0 for any other text (k8s pkg/apis/apps/validation/validation.go:getIntOrPercentValue). */
export function intOrPercentValue(value: number | string | undefined): number {
  if (typeof value === 'number') return value;
  return Number(
    /^([0-9]+)%$/.exec(value ?? '')?.[1] ?? /^[+-]?[0-9]+$/.exec(value ?? '')?.[0] ?? 0,
  );
}

/** Non-negative integers or percentages. */
export function validateIntOrPercent(
  value: number | string | undefined,
  path: FieldPath,
): FieldError[] {
  if (typeof value === 'number') return nonNegative(value, path);
  return /^[0-9]+%$/.test(String(value ?? ''))
    ? []
    : [
        invalid(
          path,
          value,
          "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
        ),
      ];
}

/** Percentages end at 100%. */
export const notAboveAll = (value: number | string | undefined, path: FieldPath): FieldError[] =>
  typeof value === 'string' && scaledValue(value, 100) > 100
    ? [invalid(path, value, 'must not be greater than 100%')]
    : [];
