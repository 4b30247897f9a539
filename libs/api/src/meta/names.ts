import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { invalid } from '@orrery/apimachinery';

/** Says what is wrong with a value; an empty answer means it is legal (k8s apimachinery pkg/util/validation). */
export type NameRule = (value: string) => readonly string[];

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const LABEL_1035 = '[a-z]([-a-z0-9]*[a-z0-9])?';
const QUALIFIED = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const LABEL_VALUE = `(${QUALIFIED})?`;

const example = (text: string, examples: string, pattern: string): string =>
  `${text} (e.g. ${examples}, regex used for validation is '${pattern}')`;

const MESSAGES = {
  label: example(
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
    "'my-name',  or '123-abc'",
    LABEL,
  ),
  subdomain: example(
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
    "'example.com'",
    SUBDOMAIN,
  ),
  label1035: example(
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
    "'my-name',  or 'abc-123'",
    LABEL_1035,
  ),
  qualified: example(
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
    "'MyName',  or 'my.name',  or '123-abc'",
    QUALIFIED,
  ),
  labelValue: example(
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
    "'MyValue',  or 'my_value',  or '12345'",
    LABEL_VALUE,
  ),
  envName: example(
    'a valid environment variable name must consist only of printable ASCII characters other than',
    "'='",
    '',
  ),
  configKey: example(
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
    "'key.name',  or 'KEY_NAME',  or 'key-name'",
    '[-._a-zA-Z0-9]+',
  ),
} as const;

const tooLong = (max: number): string => `must be no more than ${max} bytes`;

function rule(max: number, pattern: string, message: string): NameRule {
  const regex = new RegExp(`^${pattern}$`);
  return (value) => [
    ...(value.length > max ? [tooLong(max)] : []),
    ...(regex.test(value) ? [] : [message]),
  ];
}

export const dnsLabel: NameRule = rule(63, LABEL, MESSAGES.label);
export const dnsSubdomain: NameRule = rule(253, SUBDOMAIN, MESSAGES.subdomain);
export const dns1035Label: NameRule = rule(63, LABEL_1035, MESSAGES.label1035);
export const labelValue: NameRule = rule(63, LABEL_VALUE, MESSAGES.labelValue);

/** `name` or `dns.prefix/name`: keys of labels and annotations, names of resources and conditions. */
export const qualifiedName: NameRule = (value) => {
  const parts = value.split('/');
  const name = parts.at(-1) ?? '';
  if (parts.length > 2) {
    return [
      `a qualified name ${MESSAGES.qualified} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const prefix = parts.length === 2 ? (parts[0] ?? '') : undefined;
  const prefixFindings =
    prefix === undefined
      ? []
      : prefix === ''
        ? ['prefix part must be non-empty']
        : dnsSubdomain(prefix).map((text) => `prefix part ${text}`);
  if (name === '') return [...prefixFindings, 'name part must be non-empty'];
  return [
    ...prefixFindings,
    ...(name.length > 63 ? [`name part ${tooLong(63)}`] : []),
    ...(new RegExp(`^${QUALIFIED}$`).test(name) ? [] : [`name part ${MESSAGES.qualified}`]),
  ];
};

/** A name that may stand in a URL path: names of roles, events and other kinds without DNS meaning. */
export const pathSegment: NameRule = (value) => {
  if (value === '.' || value === '..') return [`may not be '${value}'`];
  return ['/', '%']
    .filter((char) => value.includes(char))
    .map((char) => `may not contain '${char}'`);
};

/** Keys of ConfigMaps and Secrets. */
export const configKey: NameRule = (value) => {
  if (value === '.' || value === '..') return [`must not be '${value}'`];
  return [
    ...(value.length > 253 ? [tooLong(253)] : []),
    ...(/^[-._a-zA-Z0-9]+$/.test(value) ? [] : [MESSAGES.configKey]),
    ...(value.startsWith('..') && value !== '..' ? ["must not start with '..'"] : []),
  ];
};

/** Names of environment variables, in the relaxed form of 1.34 and later. */
export const envName: NameRule = (value) =>
  /^[ -<>-~]+$/.test(value)
    ? []
    : [
        "a valid environment variable name must consist only of printable ASCII characters other than '='",
      ];

/** Names of ports in containers: IANA service names. */
export const portName: NameRule = (value) => [
  ...(value.length > 15 ? ['must be no more than 15 characters'] : []),
  ...(/^[-a-z0-9]+$/.test(value)
    ? []
    : ['must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)']),
  ...(/[a-z]/.test(value) ? [] : ['must contain at least one letter (a-z)']),
  ...(value.includes('--') ? ['must not contain consecutive hyphens'] : []),
  ...(/^-|-$/.test(value) ? ['must not begin or end with a hyphen'] : []),
];

export const portNumber = (port: unknown): readonly string[] =>
  typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65535
    ? []
    : ['must be between 1 and 65535, inclusive'];

/** Findings of a rule as field errors. */
export function check(rule: NameRule, value: string | undefined, path: FieldPath): FieldError[] {
  const text = String(value ?? '');
  return rule(text).map((message) => invalid(path, text, message));
}
