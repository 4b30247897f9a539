import { StorageError } from '../storage-error.js';
import type { WriteCause } from '../storage.js';

/** The one key of all causes: overwritten in each write's transaction, so it is read at the write's revision. */
export const CAUSE_KEY = '/orrery/cause';

/** The value of {@link CAUSE_KEY}: who made the write of that revision, when, and what it reacted to. */
export interface CauseRecord extends WriteCause {
  /** Milliseconds since the epoch, by the clock of the API server that wrote. */
  readonly time: number;
  /** The key that was written. */
  readonly key: string;
}

/** A record and the revision of its write. */
export interface Cause extends CauseRecord {
  readonly revision: number;
}

/** Bounds of what clients say of themselves: a record is written with every write. */
const LONGEST = { user: 256, agent: 128, manager: 128, request: 64, controller: 64, reason: 128 };

/** Types of which a record says what had been sent. */
const MOST_SENT = 8;

const TEXTS = [
  'agent',
  'manager',
  'verb',
  'subresource',
  'request',
  'controller',
  'reason',
] as const;

function bounded(name: keyof CauseRecord, text: string): string {
  const most = (LONGEST as Partial<Record<keyof CauseRecord, number>>)[name] ?? 64;
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

/** The bytes of a record; texts of clients are cut to their bounds. */
export function encodeCause(key: string, time: number, cause: WriteCause): Buffer {
  const record: Record<string, unknown> = { time, key, user: bounded('user', cause.user) };
  for (const name of TEXTS) {
    const text = cause[name];
    if (text) record[name] = bounded(name, text);
  }
  if (cause.reactedTo !== undefined) record['reactedTo'] = cause.reactedTo;
  const sent = Object.entries(cause.sent ?? {}).slice(0, MOST_SENT);
  if (sent.length > 0) record['sent'] = Object.fromEntries(sent);
  return Buffer.from(JSON.stringify(record));
}

/** Reads a record. Throws 'corrupt' for what is none. */
export function decodeCause(value: Buffer): CauseRecord {
  let record: unknown;
  try {
    record = JSON.parse(value.toString('utf8'));
  } catch (cause) {
    throw new StorageError('corrupt', `the value of ${CAUSE_KEY} is not JSON`, {
      key: CAUSE_KEY,
      cause,
    });
  }
  if (!isCauseRecord(record))
    throw new StorageError('corrupt', `the value of ${CAUSE_KEY} names no time, key and user`, {
      key: CAUSE_KEY,
    });
  return record;
}

function isCauseRecord(value: unknown): value is CauseRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { time, key, user } = value as Partial<Record<keyof CauseRecord, unknown>>;
  return typeof time === 'number' && typeof key === 'string' && typeof user === 'string';
}
