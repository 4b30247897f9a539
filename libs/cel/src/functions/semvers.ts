import { OpaqueValue } from '../values/value.js';
import type { Overload } from './overload.js';
import { fail, fn } from './overload.js';

const NUMBER = '(0|[1-9]\\d*)';
const FORM = new RegExp(
  `^${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-([0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?(?:\\+([0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?$`,
);

/** A version that may be compared. */
class SemverValue extends OpaqueValue {
  readonly typeName = 'kubernetes.Semver';

  constructor(
    readonly numbers: readonly bigint[],
    readonly pre: readonly string[],
  ) {
    super();
  }

  equals(other: OpaqueValue): boolean {
    return other instanceof SemverValue && compare(this, other) === 0;
  }
}

function comparePre(a: string, b: string): number {
  const [left, right] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (left && right) return Number(BigInt(a) - BigInt(b));
  if (left !== right) return left ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

function compare(a: SemverValue, b: SemverValue): number {
  for (let i = 0; i < 3; i++) {
    const difference = (a.numbers[i] ?? 0n) - (b.numbers[i] ?? 0n);
    if (difference !== 0n) return difference < 0n ? -1 : 1;
  }
  if (a.pre.length === 0 || b.pre.length === 0) return b.pre.length - a.pre.length;
  for (let i = 0; i < Math.min(a.pre.length, b.pre.length); i++) {
    const order = comparePre(a.pre[i] ?? '', b.pre[i] ?? '');
    if (order !== 0) return order;
  }
  return a.pre.length - b.pre.length;
}

/** "v1.02" as "1.2.0": without the v, leading zeros and missing numbers. */
function normalize(text: string): string {
  const plain = text.replace(/^v/, '');
  const match = /^([^-+]*)(.*)$/s.exec(plain);
  const parts = (match?.[1] ?? '').split('.').map((part) => part.replace(/^0+(?=\d)/, ''));
  while (parts.length < 3) parts.push('0');
  return parts.join('.') + (match?.[2] ?? '');
}

function read(text: string, normalized = false): SemverValue | undefined {
  const match = FORM.exec(normalized ? normalize(text) : text);
  if (!match) return undefined;
  const pre = match[4]?.split('.') ?? [];
  if (pre.some((part) => /^0\d+$/.test(part))) return undefined;
  return new SemverValue(
    match.slice(1, 4).map((part) => BigInt(part)),
    pre,
  );
}

/** The version that a text is, in its strict form; undefined when it is none. */
export const semverOf = (text: string): OpaqueValue | undefined => read(text);

const semver = (text: string, normalized = false): SemverValue =>
  read(text, normalized) ??
  fail(`semver parse error during conversion from string: invalid version`);
const isSemver = (text: string, normalized = false): boolean =>
  read(text, normalized) !== undefined;
const part =
  (index: number) =>
  ({ numbers }: SemverValue): bigint =>
    numbers[index] ?? 0n;

/** Kubernetes' semver library, version 1. */
export const semvers: readonly Overload[] = [
  fn('semver(string): Semver', 'string_to_semver', (text: string) => semver(text)),
  fn('semver(string, bool): Semver', 'string_bool_to_semver', semver),
  fn('isSemver(string): bool', 'is_semver_string', (text: string) => isSemver(text)),
  fn('isSemver(string, bool): bool', 'is_semver_string_bool', isSemver),
  fn(
    'Semver.isGreaterThan(Semver): bool',
    'semver_is_greater_than',
    (a: SemverValue, b: SemverValue) => compare(a, b) > 0,
  ),
  fn(
    'Semver.isLessThan(Semver): bool',
    'semver_is_less_than',
    (a: SemverValue, b: SemverValue) => compare(a, b) < 0,
  ),
  fn('Semver.compareTo(Semver): int', 'semver_compare_to', (a: SemverValue, b: SemverValue) =>
    BigInt(Math.sign(compare(a, b))),
  ),
  fn('Semver.major(): int', 'semver_major', part(0)),
  fn('Semver.minor(): int', 'semver_minor', part(1)),
  fn('Semver.patch(): int', 'semver_patch', part(2)),
];
