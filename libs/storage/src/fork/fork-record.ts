import { StorageError } from '../storage-error.js';

/** What `/orrery/forks/<name>` holds: one fork, from its creation to its removal. */
export interface ForkRecord {
  readonly name: string;
  readonly uid: string;
  /** The revision that everything not written in the fork is read at. */
  readonly base: number;
  /** The keyspace that was forked: `/registry/`. */
  readonly keyspace: string;
  /** The revision at which the epoch of the creation began (0 = it has always been): in another one the base is gone. */
  readonly epoch: number;
  /** RFC 3339. */
  readonly time: string;
  readonly user: string;
  /** PEM of the private key that signs the fork's own service-account tokens. */
  readonly issuerKey: string;
}

/** A fork that exists. */
export interface Fork extends ForkRecord {
  /** The revision of its record: nothing of the fork is older, and watches below it are refused. */
  readonly created: number;
}

/** Every fork's record lies below this key. */
export const FORK_RECORDS = '/orrery/forks/';
/** Every fork's own keys lie below this key, behind its name. */
export const FORK_KEYS = '/forks/';

export const forkRecordKey = (name: string): string => `${FORK_RECORDS}${name}`;

/** The id of the pin that keeps the fork's base from being compacted. */
export const forkPinId = (uid: string): string => `fork-${uid}`;

/** Where the fork keeps its own state of `key`: `/forks/<name>/registry/…`. */
export const overlayKey = (name: string, key: string): string => `${FORK_KEYS}${name}${key}`;

export interface ParsedOverlayKey {
  readonly name: string;
  /** The key as readers of the fork know it. */
  readonly key: string;
}

/** Takes {@link overlayKey} apart; undefined for any other key. */
export function parseOverlayKey(full: string): ParsedOverlayKey | undefined {
  if (!full.startsWith(FORK_KEYS)) return undefined;
  const end = full.indexOf('/', FORK_KEYS.length);
  if (end < 0) return undefined;
  return { name: full.slice(FORK_KEYS.length, end), key: full.slice(end) };
}

export function encodeForkRecord(record: ForkRecord): Buffer {
  return Buffer.from(JSON.stringify(record));
}

function isRecord(value: unknown): value is ForkRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { name, uid, base, keyspace } = value as Partial<Record<keyof ForkRecord, unknown>>;
  return (
    typeof name === 'string' &&
    typeof uid === 'string' &&
    typeof base === 'number' &&
    typeof keyspace === 'string'
  );
}

/** Reads a record as it is stored. Throws 'corrupt'. */
export function decodeForkRecord(key: string, value: Buffer, created: number): Fork {
  let record: unknown;
  try {
    record = JSON.parse(value.toString('utf8'));
  } catch (cause) {
    throw new StorageError('corrupt', `the record of a fork at ${key} is not JSON`, { key, cause });
  }
  if (!isRecord(record))
    throw new StorageError('corrupt', `the record at ${key} is not that of a fork`, { key });
  return { ...record, created };
}
