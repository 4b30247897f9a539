import { newBadRequest, newExpired } from '@orrery/apimachinery';
import { toTime } from '@orrery/component';
import type { History } from '@orrery/storage';
import { parseMoment } from '../at/moment.js';
import type { Moment } from '../at/moment.js';

/** Reads a moment of a query. Throws 400. */
export function momentOf(query: URLSearchParams, name: string, now: number): Moment | undefined {
  const text = query.get(name) ?? '';
  if (text === '') return undefined;
  try {
    return parseMoment(text, now);
  } catch {
    throw newBadRequest(
      `${name}: ${JSON.stringify(text)} is no moment: name a revision (41), a time (2026-01-02T03:04:05Z) or a time ago (-5m)`,
    );
  }
}

/** The revision of the state at a moment. Throws 400 for the future, 410 for what is compacted away. */
export async function revisionOf(history: History, moment: Moment): Promise<number> {
  const range = await history.range();
  if (moment.kind === 'time') {
    const revision = await history.times.at(moment.time, range);
    // Nothing is lost: there was no cluster yet.
    if (revision === undefined && range.oldest === 1) return 1;
    if (revision === undefined) throw await expired(history, toTime(moment.time));
    return revision;
  }
  const { revision } = moment;
  if (revision > range.current)
    throw newBadRequest(
      `revision ${revision} lies in the future: the cluster is at revision ${range.current}`,
    );
  if (revision < range.oldest) throw await expired(history, `revision ${revision}`);
  return revision;
}

/** 410 with what is left. */
export async function expired(history: History, what: string): Promise<Error> {
  const { oldest, current } = await history.range();
  return newExpired(
    `${what} is no longer in the history: the oldest revision left is ${oldest}, the newest is ${current}`,
  );
}

/** A number of a query within bounds. Throws 400. */
export function numberOf(
  query: URLSearchParams,
  name: string,
  { fallback, most }: { readonly fallback: number; readonly most: number },
): number {
  const text = query.get(name) ?? '';
  if (text === '') return fallback;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > most)
    throw newBadRequest(`${name}: ${JSON.stringify(text)} is not a number between 1 and ${most}`);
  return value;
}

/** A boolean of a query. Throws 400. */
export function booleanOf(query: URLSearchParams, name: string): boolean {
  const text = query.get(name) ?? 'false';
  if (text !== 'true' && text !== 'false')
    throw newBadRequest(`${name}: ${JSON.stringify(text)} is neither true nor false`);
  return text === 'true';
}

/** Refuses what the endpoint does not know: a misspelt parameter must not be ignored. */
export function onlyKnown(query: URLSearchParams, known: readonly string[]): void {
  for (const name of query.keys())
    if (!known.includes(name) && name !== 'timeout')
      throw newBadRequest(
        `${JSON.stringify(name)} is no parameter of this path: it takes ${known.join(', ')}`,
      );
}
