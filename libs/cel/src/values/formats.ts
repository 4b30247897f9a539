import { Duration, Timestamp } from './scalars.js';

const NANOS_PER_SECOND = 1_000_000_000n;
const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: NANOS_PER_SECOND,
  m: 60n * NANOS_PER_SECOND,
  h: 3600n * NANOS_PER_SECOND,
  // strfmt's further units.
  d: 86_400n * NANOS_PER_SECOND,
  w: 604_800n * NANOS_PER_SECOND,
};
const MAX = 2n ** 63n - 1n;
const PART = /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/y;

function partNanos(whole: string, fraction: string, unit: bigint): bigint {
  const digits = fraction.slice(0, 18);
  return (
    BigInt(whole || '0') * unit + (BigInt(digits || '0') * unit) / 10n ** BigInt(digits.length)
  );
}

/** The sum of "1h30m"; undefined when it is not written so. */
function sumOfParts(body: string): bigint | undefined {
  let nanos = 0n;
  for (let at = 0; at < body.length;) {
    PART.lastIndex = at;
    const [found, whole = '', fraction = '', unit = ''] = PART.exec(body) ?? [''];
    if (found === '' || (whole === '' && fraction === '')) return undefined;
    nanos += partNanos(whole, fraction, UNITS[unit] ?? 0n);
    at += found.length;
  }
  return body === '' ? undefined : nanos;
}

/** Go's time.ParseDuration: "1h30m", "-1.5s". */
export function parseGoDuration(text: string): Duration | undefined {
  const sign = /^[+-]/.exec(text)?.[0] ?? '';
  const body = text.slice(sign.length);
  if (body === '0') return new Duration(0n);
  const nanos = sumOfParts(body);
  if (nanos === undefined || nanos > MAX) return undefined;
  return new Duration(sign === '-' ? -nanos : nanos);
}

/** strfmt's names of a unit: the last of each may go on ("hours"). */
const WORDS: readonly (readonly [unit: string, exact: readonly string[], start: string])[] = [
  ['ns', ['ns'], 'nano'],
  ['us', ['us', 'µs'], 'micro'],
  ['ms', ['ms'], 'milli'],
  ['s', ['s'], 'sec'],
  ['m', ['m'], 'min'],
  ['h', ['h', 'hr'], 'hour'],
  ['d', ['d'], 'day'],
  ['w', ['w', 'wk'], 'week'],
];

/** strfmt's duration of OpenAPI's format: Go's form, or "3 days", "2 weeks 1 hour"; what is between is not looked at. */
export function parseDuration(text: string): Duration | undefined {
  const plain = parseGoDuration(text);
  if (plain) return plain;
  let nanos: bigint | undefined;
  for (const [, amount = '0', word = ''] of text.matchAll(/(\d+)\s*([A-Za-zµ]+)/g)) {
    const name = word.toLowerCase();
    const found = WORDS.find(([, exact, start]) => exact.includes(name) || name.startsWith(start));
    if (found) nanos = (nanos ?? 0n) + BigInt(amount) * (UNITS[found[0]] ?? 0n);
  }
  return nanos === undefined ? undefined : new Duration(nanos);
}

const DATE_TIME =
  /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:([Zz])|([+-])(\d\d):?(\d\d))$/;

function isRealDate(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false;
  return day <= new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
}

/** Seconds since 1970 of a time on a real day; undefined when there is no such time. */
function secondsOf(parts: readonly number[]): number | undefined {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  if (!isRealDate(year, month, day) || hour > 23 || minute > 59 || second > 59) return undefined;
  const at = new Date(0);
  at.setUTCFullYear(year, month - 1, day);
  return at.setUTCHours(hour, minute, second) / 1000;
}

/** RFC 3339 date and time. */
export function parseDateTime(text: string): Timestamp | undefined {
  const match = DATE_TIME.exec(text);
  const seconds = match && secondsOf(match.slice(1, 7).map(Number));
  if (!match || seconds === undefined || seconds === null) return undefined;
  const fraction = BigInt((match[7] ?? '').padEnd(9, '0').slice(0, 9));
  const shift = match[9] ? (Number(match[10]) * 60 + Number(match[11])) * 60 : 0;
  const offset = BigInt(match[9] === '-' ? -shift : shift);
  return new Timestamp((BigInt(seconds) - offset) * NANOS_PER_SECOND + fraction);
}

/** A full-date of RFC 3339, at midnight UTC. */
export const parseDate = (text: string): Timestamp | undefined =>
  /^\d{4}-\d\d-\d\d$/.test(text) ? parseDateTime(`${text}T00:00:00Z`) : undefined;

/** Standard base64, padded; line breaks are skipped as Go's decoder does. */
export function parseBase64(text: string): Uint8Array | undefined {
  const body = text.replace(/[\r\n]/g, '');
  const isValid = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(body);
  return isValid ? new Uint8Array(Buffer.from(body, 'base64')) : undefined;
}

/** RFC 3339 in UTC, with as many digits of a second as are needed. */
export function formatTimestamp({ nanos }: Timestamp): string {
  const fraction = ((nanos % NANOS_PER_SECOND) + NANOS_PER_SECOND) % NANOS_PER_SECOND;
  const seconds = (nanos - fraction) / NANOS_PER_SECOND;
  const head = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  const digits = fraction === 0n ? '' : `.${String(fraction).padStart(9, '0').replace(/0+$/, '')}`;
  return `${head}${digits}Z`;
}

/** A duration as `string()` writes it: seconds with a unit. */
export function formatDuration({ nanos }: Duration): string {
  const sign = nanos < 0n ? '-' : '';
  const all = nanos < 0n ? -nanos : nanos;
  const fraction = all % NANOS_PER_SECOND;
  const digits = fraction === 0n ? '' : `.${String(fraction).padStart(9, '0').replace(/0+$/, '')}`;
  return `${sign}${all / NANOS_PER_SECOND}${digits}s`;
}
