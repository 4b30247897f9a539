import { newBadRequest } from '@orrery/apimachinery';
import { parseDuration } from '@orrery/component';

/** What stands behind /at/: a revision, or a time in milliseconds since the epoch. */
export type Moment =
  | { readonly kind: 'revision'; readonly revision: number }
  | { readonly kind: 'time'; readonly time: number };

const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;

function ago(text: string, now: number): Moment | undefined {
  const duration = text.startsWith('-') ? parseDuration(text.slice(1)) : undefined;
  if (duration === undefined) return undefined;
  // By the second, so that the requests of one command mean the same moment.
  return { kind: 'time', time: Math.floor((now - duration) / 1000) * 1000 };
}

/** Reads a revision (`41`), a time (`2026-01-02T03:04:05Z`) or a time ago (`-5m`). Throws 400. */
export function parseMoment(text: string, now: number): Moment {
  if (/^\d+$/.test(text) && Number(text) > 0 && Number.isSafeInteger(Number(text)))
    return { kind: 'revision', revision: Number(text) };
  const time = RFC_3339.test(text) ? Date.parse(text) : NaN;
  if (Number.isFinite(time)) return { kind: 'time', time };
  const relative = ago(text, now);
  if (relative) return relative;
  throw newBadRequest(
    `${JSON.stringify(text)} is no moment of the past: name a revision (/at/41/), a time (/at/2026-01-02T03:04:05Z/) or a time ago (/at/-5m/)`,
  );
}
