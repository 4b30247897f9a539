import type {
  Storage,
  StorageErrorCode,
  StorageEvent,
  WatchItem,
  WatchOptions,
} from '@orrery/storage';
import { StorageError } from '@orrery/storage';

import { eventually } from '../eventually.js';

/** An implementation under test, with a keyspace of its own that starts empty. */
export interface StorageUnderTest {
  readonly storage: Storage;
  readonly keyspace: string;
  /** Another server's storage over the same keyspace: for the part 'promises'. */
  readonly replica?: () => Promise<Storage>;
  /** Compacts the history below `revision`. */
  compact(revision: number): Promise<void>;
  stop(): Promise<void>;
}

export const CONSISTENT = { freshness: { kind: 'consistent' } } as const;
export const ANY = { freshness: { kind: 'any' } } as const;

export const exactly = (revision: number) => ({ freshness: { kind: 'exact', revision } }) as const;

export const notOlderThan = (revision: number) =>
  ({ freshness: { kind: 'notOlderThan', revision } }) as const;

/** A stored Pod, as upstream encodes it. */
export function podValue(name: string, image = 'nginx'): Buffer {
  const metadata = `{"name":"${name}","namespace":"ns1","uid":"uid-${name}"}`;
  return Buffer.from(
    `{"kind":"Pod","apiVersion":"v1","metadata":${metadata},"spec":{"containers":[{"name":"c","image":"${image}"}]}}`,
  );
}

/** The code of the StorageError that a promise rejects with; 'resolved' when it does not. */
export async function codeOf(promise: Promise<unknown>): Promise<StorageErrorCode | 'resolved'> {
  return (await errorOf(promise))?.code ?? 'resolved';
}

export async function errorOf(promise: Promise<unknown>): Promise<StorageError | undefined> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    if (error instanceof StorageError) return error;
    throw error;
  }
}

/** `ADDED web-0@7` with the key's last part: one line per event. */
export function describeEvent({ type, entry, revision }: StorageEvent): string {
  return `${type} ${entry.key.slice(entry.key.lastIndexOf('/') + 1)}@${revision}`;
}

/** A watch that is being read in the background. */
export class WatchRecorder {
  readonly items: WatchItem[] = [];
  error: unknown;
  private readonly controller = new AbortController();
  private readonly reading: Promise<void>;

  constructor(storage: Storage, prefix: string, options: Omit<WatchOptions, 'signal'>) {
    this.reading = this.read(storage, prefix, options);
  }

  get events(): readonly StorageEvent[] {
    return this.items.flatMap((item) => (item.kind === 'event' ? [item.event] : []));
  }

  get lines(): readonly string[] {
    return this.events.map(describeEvent);
  }

  get marks(): readonly number[] {
    return this.items.flatMap((item) => (item.kind === 'progress' ? [item.revision] : []));
  }

  /** Waits for `count` events, or the watch's error. */
  async until(count: number, timeoutMs = 10_000): Promise<this> {
    await eventually(() => this.events.length >= count || this.error !== undefined, { timeoutMs });
    return this;
  }

  /** Ends the watch; resolves when its iteration has ended. */
  async stop(): Promise<void> {
    this.controller.abort();
    await this.reading;
  }

  private async read(
    storage: Storage,
    prefix: string,
    options: Omit<WatchOptions, 'signal'>,
  ): Promise<void> {
    try {
      const { signal } = this.controller;
      for await (const batch of storage.watch(prefix, { ...options, signal })) {
        this.items.push(...batch);
      }
    } catch (error) {
      this.error = error;
    }
  }
}

/** Runs one test on a fresh subject. */
export type ContractRun = (test: (subject: StorageUnderTest) => Promise<void>) => Promise<void>;
