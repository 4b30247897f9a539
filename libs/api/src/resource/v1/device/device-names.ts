import type { FieldError, FieldPath } from '@orrery/apimachinery';
import {
  duplicate,
  invalid,
  isCIdentifier,
  isDns1123Subdomain,
  required,
  tooLong,
  tooMany,
} from '@orrery/apimachinery';
import { when } from '../../../meta/findings.js';
import { list } from '../../../meta/list.js';
import { check, dnsLabel, dnsSubdomain } from '../../../meta/names.js';

const MAX_DOMAIN = 63;
const MAX_ID = 32;
const MAX_POOL = 253;

const filled = (
  name: string | undefined,
  path: FieldPath,
  rest: (name: string) => FieldError[],
): FieldError[] => (name ? rest(String(name)) : [required(path)]);

/** Drivers are named by a DNS subdomain of at most 63 bytes. */
export const validateDriverName = (name: string | undefined, path: FieldPath): FieldError[] =>
  filled(name, path, (text) => [
    ...when(text.length > MAX_DOMAIN, tooLong(path, MAX_DOMAIN)),
    ...isDns1123Subdomain(text.toLowerCase()).map((message) => invalid(path, text, message)),
  ]);

export const validatePoolName = (name: string | undefined, path: FieldPath): FieldError[] =>
  filled(name, path, (text) => [
    ...when(text.length > MAX_POOL, tooLong(path, MAX_POOL)),
    ...text.split('/').flatMap((part) => check(dnsSubdomain, part, path)),
  ]);

export const validateDeviceName = (name: string | undefined, path: FieldPath): FieldError[] =>
  filled(name, path, (text) => check(dnsLabel, text, path));

export const validateRequestName = validateDeviceName;

const validateIdentifier = (id: string, path: FieldPath): FieldError[] => [
  ...when(id.length > MAX_ID, tooLong(path, MAX_ID)),
  ...isCIdentifier(id).map((message) => invalid(path, id, message)),
];

/** `[domain/]identifier`: names of attributes and capacities. */
export function validateAttributeName(name: string, path: FieldPath): FieldError[] {
  const [domain = '', id, ...rest] = name.split('/');
  if (rest.length > 0) return [];
  if (id === undefined) return validateIdentifier(domain, path);
  return [
    ...(domain
      ? validateDriverName(domain, path)
      : [invalid(path, '', 'the domain must not be empty')]),
    ...(id ? validateIdentifier(id, path) : [invalid(path, '', 'the name must not be empty')]),
  ];
}

/** An attribute's name with its domain. */
export const validateFullAttributeName = (name: string, path: FieldPath): FieldError[] => [
  ...validateAttributeName(name, path),
  ...when(
    !name.includes('/'),
    invalid(path, name, 'a fully qualified name must be a domain and a name separated by a slash'),
  ),
];

/** Of a map's key so much that its path can be read (…/validation.go:truncateIfTooLong). */
export function shortened(key: string, length: number): string {
  if (key.length <= length) return key;
  const left = length - 3;
  return `${key.slice(0, Math.ceil(left / 2))}...${key.slice(key.length - Math.floor(left / 2))}`;
}

interface Bound<T> {
  readonly max: number;
  readonly keyOf?: (item: T) => string;
}

/** How many there are; if that is not too many, each by itself, then which stand there twice. */
export function validateBounded<T>(
  items: readonly T[] | undefined,
  path: FieldPath,
  { max, keyOf }: Bound<T>,
  validate: (item: T, path: FieldPath) => FieldError[],
): FieldError[] {
  const all = list(items);
  if (all.length > max) return [tooMany(path, all.length, max)];
  const findings = all.flatMap((item, i) => validate(item, path.index(i)));
  const seen = new Set<string>();
  if (!keyOf) return findings;
  for (const [i, item] of all.entries()) {
    const key = keyOf(item);
    if (seen.has(key)) findings.push(duplicate(path.index(i), key));
    seen.add(key);
  }
  return findings;
}

/** Any JSON object of at most `maxLength` bytes: parameters and data of drivers. */
export function validateObjectValue(
  value: unknown,
  path: FieldPath,
  maxLength: number,
): FieldError[] {
  if (value === undefined || value === null) return [required(path)];
  if (Buffer.byteLength(JSON.stringify(value)) > maxLength) return [tooLong(path, maxLength)];
  const isObject = typeof value === 'object' && !Array.isArray(value);
  return when(!isObject, invalid(path, '<value omitted>', 'must be a valid JSON object'));
}
