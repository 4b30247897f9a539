import { isIPv4, isIPv6 } from 'node:net';
import { isCidr, isDns1123Label, isDns1123Subdomain } from '@orrery/apimachinery';
import { parseDate, parseDateTime, parseDuration } from '@orrery/cel';

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const versionedUuid = (version: number): RegExp =>
  new RegExp(
    `^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?${version === 3 ? '[0-9a-f]{4}' : '[89ab][0-9a-f]{3}'}-?[0-9a-f]{12}$`,
    'i',
  );
const HOST_LABEL = /^[a-zA-Z0-9_](?:[a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?$/;
const EMAIL = /^[^\s@<>(),:;[\]\\"]+@[^\s@<>(),:;[\]\\"]+$/;
const MAC =
  /^(?:[0-9a-f]{2}(?::[0-9a-f]{2}){5,7}|[0-9a-f]{2}(?:-[0-9a-f]{2}){5,7}|[0-9a-f]{4}(?:\.[0-9a-f]{4}){2,3})$/i;
const COLOR = /^#?(?:[0-9a-f]{3}|[0-9a-f]{6})$/i;
const BYTE_COLOR = '(?:0|[1-9]\\d?|1\\d\\d|2[0-4]\\d|25[0-5])';
const RGB = new RegExp(
  `^rgb\\(\\s*${BYTE_COLOR}\\s*,\\s*${BYTE_COLOR}\\s*,\\s*${BYTE_COLOR}\\s*\\)$`,
);

const isHostname = (text: string): boolean => {
  const labels = text.replace(/\.$/, '').split('.');
  return text.length <= 255 && labels.every((label) => HOST_LABEL.test(label));
};

function isUri(text: string): boolean {
  return /^[A-Za-z][A-Za-z0-9+.-]*:\S*$/.test(text) ? URL.canParse(text) : text.startsWith('/');
}

const digitsOf = (text: string): string => text.replace(/[\s-]/g, '');

function isIsbn10(text: string): boolean {
  const digits = digitsOf(text);
  if (!/^\d{9}[\dX]$/.test(digits)) return false;
  const sum = Array.from(digits).reduce(
    (total, char, i) => total + (i + 1) * (char === 'X' ? 10 : Number(char)),
    0,
  );
  return sum % 11 === 0;
}

function isIsbn13(text: string): boolean {
  const digits = digitsOf(text);
  if (!/^\d{13}$/.test(digits)) return false;
  const sum = Array.from(digits).reduce(
    (total, char, i) => total + Number(char) * (i % 2 === 0 ? 1 : 3),
    0,
  );
  return sum % 10 === 0;
}

function isCreditCard(text: string): boolean {
  const digits = digitsOf(text);
  if (!/^\d{13,19}$/.test(digits)) return false;
  const sum = Array.from(digits)
    .reverse()
    .reduce((total, char, i) => {
      const value = Number(char) * (i % 2 === 0 ? 1 : 2);
      return total + (value > 9 ? value - 9 : value);
    }, 0);
  return sum % 10 === 0;
}

/** Octets may have zeros before them, as before Go 1.17 (kube-openapi …/strfmt/default.go:isIPv4). */
function isSloppyIPv4(text: string): boolean {
  const plain = text.replace(/(?<=^|\.|:)0+(?=\d+(?:\.|$))/g, '');
  return text.includes('.') && (isIPv4(plain) || isIPv6(plain));
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/;

const test =
  (pattern: RegExp) =>
  (text: string): boolean =>
    pattern.test(text);

/** The formats that upstream knows; others say nothing (apiextensions-apiserver pkg/apiserver/validation/formats.go). */
const FORMATS = new Map<string, (text: string) => boolean>([
  ['bsonobjectid', test(/^[0-9a-f]{24}$/i)],
  ['uri', isUri],
  ['email', test(EMAIL)],
  ['hostname', isHostname],
  ['ipv4', isSloppyIPv4],
  ['ipv6', isIPv6],
  ['cidr', (text) => isCidr(text).length === 0],
  ['mac', test(MAC)],
  ['uuid', test(UUID)],
  ['uuid3', test(versionedUuid(3))],
  ['uuid4', test(versionedUuid(4))],
  ['uuid5', test(versionedUuid(5))],
  ['isbn', (text) => isIsbn10(text) || isIsbn13(text)],
  ['isbn10', isIsbn10],
  ['isbn13', isIsbn13],
  ['creditcard', isCreditCard],
  ['ssn', test(/^\d{3}[- ]?\d{2}[- ]?\d{4}$/)],
  ['hexcolor', test(COLOR)],
  ['rgbcolor', test(RGB)],
  ['byte', test(BASE64)],
  ['password', () => true],
  ['date', (text) => parseDate(text) !== undefined],
  ['duration', (text) => parseDuration(text) !== undefined],
  ['datetime', (text) => parseDateTime(text) !== undefined],
  ['k8sshortname', (text) => isDns1123Label(text).length === 0],
  ['k8slongname', (text) => isDns1123Subdomain(text).length === 0],
]);

/** go-openapi's names have no dashes: `date-time` is `datetime`. */
const normalized = (format: string): string => format.replaceAll('-', '');

/** True of a format that is checked; others are as if they were not there. */
export const isFormat = (format: string): boolean => FORMATS.has(normalized(format));

/** True for a text of the format, and for formats that nobody checks. */
export const hasFormat = (text: string, format: string): boolean =>
  FORMATS.get(normalized(format))?.(text) ?? true;
