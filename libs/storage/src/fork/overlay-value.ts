import { StoredEntry } from '../etcd3/stored-entry.js';
import { StorageError } from '../storage-error.js';

/**
 * What a fork stores of a key. The value of a key that the base does not have is the object itself, and its deletion
 * is etcd's own. A key of the base must not come back, so there a line before the object says what it stands over:
 *
 *   over 1200 created 1100⏎{"kind":…   the object has been changed
 *   over 1200 created -⏎{"kind":…      it was deleted, and created again by this very write
 *   over 1200 deleted⏎                 it was deleted: the tombstone
 */
export type OverlayState =
  | { readonly kind: 'object'; readonly entry: StoredEntry; readonly over?: number }
  | { readonly kind: 'deleted'; readonly revision: number; readonly over: number };

/** As etcd tells of a key. */
export interface OverlayKeyValue {
  readonly value: Buffer;
  readonly mod_revision: string | number;
  readonly create_revision: string | number;
}

const HEADER = /^over (\d+) (?:(deleted)|created (\d+|-))\n/;
const OVER = Buffer.from('over ');
/** Two numbers of at most 19 digits and the words. */
const LONGEST_HEADER = 64;

/** The value that hides the state which the base has at `baseRevision`. One per key: compared in transactions. */
export const tombstone = (baseRevision: number): Buffer =>
  Buffer.from(`over ${baseRevision} deleted\n`);

/** The value of a key that the base has; `created` undefined = created by this write. */
export function overValue(
  baseRevision: number,
  created: number | undefined,
  value: Buffer,
): Buffer {
  return Buffer.concat([Buffer.from(`over ${baseRevision} created ${created ?? '-'}\n`), value]);
}

/** How long what stands before the object is (all of a tombstone); 0 = there is nothing. */
export function overlayHeadLength(value: Buffer): number {
  if (!value.subarray(0, OVER.length).equals(OVER)) return 0;
  return HEADER.exec(value.toString('latin1', 0, LONGEST_HEADER))?.[0].length ?? 0;
}

/** Reads what etcd holds for the fork's state of `key`. */
export function decodeOverlay(key: string, kv: OverlayKeyValue): OverlayState {
  const revision = Number(kv.mod_revision);
  const { value } = kv;
  if (!value.subarray(0, OVER.length).equals(OVER)) {
    const createRevision = Number(kv.create_revision);
    return { kind: 'object', entry: new StoredEntry({ key, revision, createRevision, value }) };
  }
  const header = HEADER.exec(value.toString('latin1', 0, LONGEST_HEADER));
  if (!header)
    throw new StorageError('corrupt', `the fork's value of ${key} has a broken header`, { key });
  const over = Number(header[1]);
  if (header[2]) return { kind: 'deleted', revision, over };
  const createRevision = header[3] === '-' ? revision : Number(header[3]);
  const state = { key, revision, createRevision, value: value.subarray(header[0].length) };
  return { kind: 'object', entry: new StoredEntry(state), over };
}
