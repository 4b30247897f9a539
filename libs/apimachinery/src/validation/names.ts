import {
  byteLength,
  EMPTY_ERROR,
  formatCheck,
  HOSTILE_LENGTH,
  maxLengthError,
  regexError,
} from './format-error.js';
import type { StringCheck } from './format-error.js';

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const UNDERSCORE_LABEL = '[a-z0-9]([-_a-z0-9]*[a-z0-9])?';

/** RFC 1123 label: names of namespaces, Services' pods, containers. */
export const isDns1123Label: StringCheck = formatCheck({
  pattern: LABEL,
  message:
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  examples: ['my-name', '123-abc'],
  maxLength: 63,
});

/** RFC 1123 subdomain: the default form of object names. */
export const isDns1123Subdomain: StringCheck = formatCheck({
  pattern: SUBDOMAIN,
  message:
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  examples: ['example.com'],
  maxLength: 253,
});

/** Subdomain that may hold underscores: DNS search paths. */
export const isDns1123SubdomainWithUnderscore: StringCheck = formatCheck({
  pattern: `${UNDERSCORE_LABEL}(\\.${UNDERSCORE_LABEL})*`,
  message:
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  examples: ['example.com'],
  maxLength: 253,
});

/** `*.example.com`: wildcard hosts of Ingress. */
export const isWildcardDns1123Subdomain: StringCheck = formatCheck({
  pattern: `\\*\\.${SUBDOMAIN}`,
  message:
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
  examples: ['*.example.com'],
  maxLength: 253,
});

/** RFC 1035 label: names of Services. */
export const isDns1035Label: StringCheck = formatCheck({
  pattern: '[a-z]([-a-z0-9]*[a-z0-9])?',
  message:
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  examples: ['my-name', 'abc-123'],
  maxLength: 63,
});

const QUALIFIED = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const QUALIFIED_MESSAGE =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const QUALIFIED_EXAMPLES = ['MyName', 'my.name', '123-abc'];
const QUALIFIED_REGEX = new RegExp(`^(?:${QUALIFIED})$`);

/** What nearly all of them are, in one look: too short for any limit of length. */
const SHORT_QUALIFIED = new RegExp(`^(?:${SUBDOMAIN}/)?${QUALIFIED}$`);
const SHORT = 63;

/** `[prefix/]name`: keys of labels and annotations, finalizers, resource names. */
export function isQualifiedName(value: string): string[] {
  if (value.length <= SHORT && SHORT_QUALIFIED.test(value)) return [];
  const parts = value.split('/');
  if (parts.length > 2) {
    const text = regexError(QUALIFIED_MESSAGE, QUALIFIED, ...QUALIFIED_EXAMPLES);
    return [
      `a valid label key ${text} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const name = parts.at(-1) ?? '';
  const errors: string[] = [];
  if (parts.length === 2) {
    const prefix = parts[0] ?? '';
    const found = prefix === '' ? [EMPTY_ERROR] : isDns1123Subdomain(prefix);
    const told = found.map((one) =>
      one === maxLengthError(253) ? maxLengthError(253, 'bytes') : one,
    );
    errors.push(...told.map((message) => `prefix part ${message}`));
  }
  if (name === '') errors.push(`name part ${EMPTY_ERROR}`);
  else if (byteLength(name) > 63) errors.push(`name part ${maxLengthError(63, 'bytes')}`);
  if (name.length > HOSTILE_LENGTH) return errors;
  if (!QUALIFIED_REGEX.test(name)) {
    errors.push(`name part ${regexError(QUALIFIED_MESSAGE, QUALIFIED, ...QUALIFIED_EXAMPLES)}`);
  }
  return errors;
}

export const isLabelValue: StringCheck = formatCheck({
  pattern: `(${QUALIFIED})?`,
  message:
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  examples: ['MyValue', 'my_value', '12345'],
  maxLength: 63,
  unit: 'bytes',
});

export const isCIdentifier: StringCheck = formatCheck({
  pattern: '[A-Za-z_][A-Za-z0-9_]*',
  message:
    "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
  examples: ['my_name', 'MY_NAME', 'MyName'],
});

/** A name that can be one path segment of a URL; with `prefix` only the start of one. */
export function isPathSegmentName(name: string, prefix = false): string[] {
  if (!prefix && (name === '.' || name === '..')) return [`may not be '${name}'`];
  return ['/', '%'].filter((c) => name.includes(c)).map((c) => `may not contain '${c}'`);
}

/** How a kind checks metadata.name; `prefix` when the value is a generateName. */
export type NameValidator = (name: string, prefix: boolean) => string[];

/** A generateName may end in a dash, since a suffix follows. */
const maskTrailingDash = (name: string): string =>
  name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name;

const byCheck =
  (check: StringCheck): NameValidator =>
  (name, prefix) =>
    check(prefix ? maskTrailingDash(name) : name);

export const nameIsDnsSubdomain: NameValidator = byCheck(isDns1123Subdomain);
export const nameIsDnsLabel: NameValidator = byCheck(isDns1123Label);
export const nameIsDns1035Label: NameValidator = byCheck(isDns1035Label);
/** RBAC kinds: any name that fits into a path. */
export const nameIsPathSegment: NameValidator = (name, prefix) => isPathSegmentName(name, prefix);
