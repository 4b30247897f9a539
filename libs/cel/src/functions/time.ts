import { Duration, Timestamp } from '../values/scalars.js';
import type { Overload } from './overload.js';
import { fail, fn } from './overload.js';

const NANOS_PER_MS = 1_000_000n;

interface Parts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly weekday: number;
  readonly dayOfYear: number;
  readonly ms: number;
}

const toMs = ({ nanos }: Timestamp): number => {
  const rest = ((nanos % NANOS_PER_MS) + NANOS_PER_MS) % NANOS_PER_MS;
  return Number((nanos - rest) / NANOS_PER_MS);
};

function partsOfUtc(ms: number): Parts {
  const at = new Date(ms);
  const start = new Date(0);
  start.setUTCFullYear(at.getUTCFullYear(), 0, 1);
  return {
    year: at.getUTCFullYear(),
    month: at.getUTCMonth(),
    day: at.getUTCDate(),
    hour: at.getUTCHours(),
    minute: at.getUTCMinutes(),
    second: at.getUTCSeconds(),
    weekday: at.getUTCDay(),
    dayOfYear: Math.floor((ms - start.getTime()) / 86_400_000),
    ms: ((ms % 1000) + 1000) % 1000,
  };
}

const zones = new Map<string, Intl.DateTimeFormat>();

function formatterOf(zone: string): Intl.DateTimeFormat {
  let formatter = zones.get(zone);
  if (!formatter) {
    try {
      formatter = new Intl.DateTimeFormat('en-US', {
        timeZone: zone,
        hourCycle: 'h23',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        second: 'numeric',
      });
    } catch {
      return fail(`unknown time zone ${zone}`);
    }
    zones.set(zone, formatter);
  }
  return formatter;
}

/** Milliseconds that local time is ahead of UTC at an instant. */
function offsetOf(ms: number, zone: string): number {
  const fixed = /^([+-]?)(\d\d):(\d\d)$/.exec(zone);
  if (fixed) {
    const size = (Number(fixed[2]) * 60 + Number(fixed[3])) * 60_000;
    return fixed[1] === '-' ? -size : size;
  }
  const found = new Map(
    formatterOf(zone)
      .formatToParts(ms)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const get = (type: Intl.DateTimeFormatPartTypes): number => found.get(type) ?? 0;
  const local = Date.UTC(
    get('year'),
    get('month') - 1,
    get('day'),
    get('hour'),
    get('minute'),
    get('second'),
  );
  return local - Math.floor(ms / 1000) * 1000;
}

function partsOf(time: Timestamp, zone?: string): Parts {
  const ms = toMs(time);
  if (zone === undefined || zone === 'UTC') return partsOfUtc(ms);
  return partsOfUtc(ms + offsetOf(ms, zone));
}

const READERS: readonly (readonly [string, string, (parts: Parts) => number])[] = [
  ['getFullYear', 'year', ({ year }) => year],
  ['getMonth', 'month', ({ month }) => month],
  ['getDayOfYear', 'day_of_year', ({ dayOfYear }) => dayOfYear],
  ['getDate', 'day_of_month_1_based', ({ day }) => day],
  ['getDayOfMonth', 'day_of_month', ({ day }) => day - 1],
  ['getDayOfWeek', 'day_of_week', ({ weekday }) => weekday],
  ['getHours', 'hours', ({ hour }) => hour],
  ['getMinutes', 'minutes', ({ minute }) => minute],
  ['getSeconds', 'seconds', ({ second }) => second],
  ['getMilliseconds', 'milliseconds', ({ ms }) => ms],
];

const per =
  (unit: bigint) =>
  ({ nanos }: Duration): bigint =>
    nanos / unit;

export const time: readonly Overload[] = [
  ...READERS.flatMap(([name, id, read]) => [
    fn(`timestamp.${name}(): int`, `timestamp_to_${id}`, (t: Timestamp) =>
      BigInt(read(partsOf(t))),
    ),
    fn(
      `timestamp.${name}(string): int`,
      `timestamp_to_${id}_with_tz`,
      (t: Timestamp, zone: string) => BigInt(read(partsOf(t, zone))),
    ),
  ]),
  fn('duration.getHours(): int', 'duration_to_hours', per(3_600_000_000_000n)),
  fn('duration.getMinutes(): int', 'duration_to_minutes', per(60_000_000_000n)),
  fn('duration.getSeconds(): int', 'duration_to_seconds', per(1_000_000_000n)),
  fn(
    'duration.getMilliseconds(): int',
    'duration_to_milliseconds',
    (d: Duration) => (d.nanos / NANOS_PER_MS) % 1000n,
  ),
];
