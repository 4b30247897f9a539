import { Cron } from 'croner';
import { parseDuration } from '@orrery/component';

/** When a cron job is due. */
export interface Schedule {
  /** The first time after `ms`; undefined when there is none. */
  next(ms: number): number | undefined;
}

const SECOND_MS = 1000;
const EVERY = '@every ';

export const isTimeZone = (name: string): boolean => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
};

/** RFC 3339 with the offset that the zone has at that time: `2026-07-01T09:00:00+02:00`, `…Z` for UTC. */
export function timeIn(ms: number, timeZone: string): string {
  const offset = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' })
    .formatToParts(new Date(ms))
    .find(({ type }) => type === 'timeZoneName');
  const [, sign = '+', hours = '00', minutes = '00'] =
    /GMT([+-])(\d\d):(\d\d)/.exec(offset?.value ?? '') ?? [];
  const shift = (Number(hours) * 60 + Number(minutes)) * 60_000 * (sign === '-' ? -1 : 1);
  const local = new Date(ms + shift).toISOString().slice(0, 19);
  return shift === 0 ? `${local}Z` : `${local}${sign}${hours}:${minutes}`;
}

function everySchedule(text: string): Schedule {
  const duration = parseDuration(text);
  if (duration === undefined) throw new Error(`failed to parse duration ${EVERY}${text}`);
  const step = Math.max(Math.floor(duration / SECOND_MS) * SECOND_MS, SECOND_MS);
  return { next: (ms) => Math.floor((ms + step) / SECOND_MS) * SECOND_MS };
}

/** Reads a schedule of five fields, a descriptor such as @hourly, or `@every 5m`. Throws for any other. */
export function parseSchedule(text: string, timeZone: string): Schedule {
  if (text.startsWith(EVERY)) return everySchedule(text.slice(EVERY.length).trim());
  const fields = text.trim().split(/\s+/);
  if (!text.startsWith('@') && fields.length !== 5)
    throw new Error(`expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`);
  // Day of month and day of week, when both are given, mean either of them, as in every cron.
  const cron = new Cron(fields.join(' ').replaceAll('?', '*'), {
    timezone: timeZone,
    legacyMode: true,
    paused: true,
  });
  return { next: (ms) => cron.nextRun(new Date(ms))?.getTime() };
}

export interface Due {
  /** The last time at or before now; undefined when none has come since `since`. */
  readonly at: number | undefined;
  /** More than 100 times have passed unserved. */
  readonly tooMany: boolean;
}

const TOO_MANY = 100;

/** Pure: the last time after `since` that has come (k8s pkg/controller/cronjob/utils.go: mostRecentScheduleTime). */
export function mostRecent(schedule: Schedule, since: number, now: number): Due {
  const first = schedule.next(since);
  if (first === undefined || first > now) return { at: undefined, tooMany: false };
  const second = schedule.next(first);
  if (second === undefined || second > now) return { at: first, tooMany: false };
  const interval = second - first;
  const missed = Math.floor((now - first) / interval) + 1;
  return { at: lastBefore(schedule, first, interval, now), tooMany: missed > TOO_MANY };
}

/** Looks back over a window that grows until some time falls into it: a long past is not walked through. */
function lastBefore(schedule: Schedule, first: number, interval: number, now: number): number {
  let at = first;
  for (let window = interval * 2; ; window *= 4) {
    const from = Math.max(now - window, first);
    const found = schedule.next(from);
    if (found !== undefined && found <= now) at = found;
    if (at !== first || from === first) break;
  }
  for (let next = schedule.next(at); next !== undefined && next <= now; next = schedule.next(at))
    at = next;
  return at;
}
