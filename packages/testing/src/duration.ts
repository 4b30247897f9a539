import { OrreryError } from './test-server-process.js';

/** Milliseconds, or as Go writes it: `90s`, `1h30m`. */
export type Duration = number | string;

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Throws OrreryError for what is neither. */
export function toMs(duration: Duration): number {
  if (typeof duration === 'number') return duration;
  const parts = [...duration.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== duration)
    throw new OrreryError(`${duration} is not a duration such as 90s or 1h30m`);
  return parts.reduce((sum, [, value, unit = '']) => sum + Number(value) * (UNITS[unit] ?? 0), 0);
}
