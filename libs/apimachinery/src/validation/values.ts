import { isIP, isIPv4 } from 'node:net';
import { byteLength, formatCheck, maxLengthError } from './format-error.js';
import type { StringCheck } from './format-error.js';

const inclusiveRange = (low: number, high: number): string =>
  `must be between ${low} and ${high}, inclusive`;

export function isInRange(value: number, low: number, high: number): string[] {
  return Number.isInteger(value) && value >= low && value <= high
    ? []
    : [inclusiveRange(low, high)];
}

export const isPortNumber = (port: number): string[] => isInRange(port, 1, 65535);
/** User and group ids. */
export const isUnixId = (id: number): string[] => isInRange(id, 0, 2147483647);

/** IANA service name: named ports of containers and Services. */
export function isPortName(port: string): string[] {
  const errors: string[] = [];
  if (byteLength(port) > 15) errors.push(maxLengthError(15));
  if (!/^[-a-z0-9]+$/.test(port)) {
    errors.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  }
  if (!/[a-z]/.test(port)) errors.push('must contain at least one letter (a-z)');
  if (port.includes('--')) errors.push('must not contain consecutive hyphens');
  if (port.startsWith('-') || port.endsWith('-')) {
    errors.push('must not begin or end with a hyphen');
  }
  return errors;
}

const hasLeadingZero = (ip: string): boolean => /(^|[.:])0\d+(\.|$)/.test(ip);

export function isIpAddress(value: string): string[] {
  return isIP(value) !== 0 && !value.includes('%') && !hasLeadingZero(value)
    ? []
    : ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'];
}

export const isIpv4Address = (value: string): string[] =>
  isIPv4(value) && !hasLeadingZero(value) ? [] : ['must be a valid IPv4 address'];

export function isCidr(value: string): string[] {
  const [ip = '', bits = '', ...rest] = value.split('/');
  const max = isIPv4(ip) ? 32 : 128;
  const ok =
    rest.length === 0 &&
    isIpAddress(ip).length === 0 &&
    /^(0|[1-9]\d{0,2})$/.test(bits) &&
    Number(bits) <= max;
  return ok ? [] : ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'];
}

export const isPercent: StringCheck = formatCheck({
  pattern: '[0-9]+%',
  message: "a valid percent string must be a numeric string followed by an ending '%'",
  examples: ['1%', '93%'],
});

export const isHttpHeaderName: StringCheck = formatCheck({
  pattern: '[-A-Za-z0-9]+',
  message: "a valid HTTP header must consist of alphanumeric characters or '-'",
  examples: ['X-Header-Name'],
});

/** Names that would climb out of a folder when used as a file name. */
function climbingName(value: string): string[] {
  if (value === '.' || value === '..') return [`must not be '${value}'`];
  return value.startsWith('..') ? ["must not start with '..'"] : [];
}

const envVarFormat = formatCheck({
  pattern: '[-._a-zA-Z][-._a-zA-Z0-9]*',
  message:
    "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit",
  examples: ['my.env-name', 'MY_ENV.NAME', 'MyEnvName1'],
});

/** Environment variable names as before 1.30. */
export const isEnvVarName = (value: string): string[] => [
  ...envVarFormat(value),
  ...climbingName(value),
];

/** Environment variable names since RelaxedEnvironmentVariableValidation: printable ASCII but `=`. */
export const isRelaxedEnvVarName = (value: string): string[] =>
  /^[ -<>-~]+$/.test(value)
    ? []
    : [
        "a valid environment variable name must consist only of printable ASCII characters other than '=' (regex used for validation is '^[ -<>-~]+$')",
      ];

const configMapKeyFormat = formatCheck({
  pattern: '[-._a-zA-Z0-9]+',
  message: "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  examples: ['key.name', 'KEY_NAME', 'key-name'],
  maxLength: 253,
});

/** Keys of ConfigMaps and Secrets. */
export const isConfigMapKey = (value: string): string[] => [
  ...configMapKeyFormat(value),
  ...climbingName(value),
];
