import type { Storage } from '../storage.js';
import type { Fork } from './fork-record.js';
import type { ForkStorage } from './fork-storage.js';

/** A fork that can be worked with. */
export interface OpenFork {
  readonly fork: Fork;
  readonly storage: Storage;
  /** The same on etcd alone. */
  readonly plain: ForkStorage;
  /** Aborts when the fork is removed or has expired; its reason is the StorageError 'gone' that says which. */
  readonly gone: AbortSignal;
}
