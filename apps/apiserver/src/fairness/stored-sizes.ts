import type { KindDescriptor } from '@orrery/api';
import type { Clock } from '@orrery/component';
import { CachedStorage } from '@orrery/storage';
import type { Storage } from '@orrery/storage';
import type { RequestInfo } from '../filters/request-info.js';
import type { StoredSize } from './estimate-seats.js';

export interface StoredSizesDeps {
  readonly storage: Storage;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** What all keys begin with. */
  readonly keyPrefix: string;
  readonly kinds: () => readonly KindDescriptor[];
}

/** The size of an object is judged by so many of them, and anew after this time. */
const SAMPLE = 16;
const SAMPLE_MS = 60_000;

interface Sampled {
  readonly prefix: string;
  readonly objectBytes: number;
  readonly at: number;
}

/** What is stored of each resource, as far as it is in memory. */
export class StoredSizes {
  private readonly sampled = new Map<string, Sampled>();

  constructor(private readonly deps: StoredSizesDeps) {}

  of({ group, resource }: Pick<RequestInfo, 'group' | 'resource'>): StoredSize | undefined {
    const { storage } = this.deps;
    if (!(storage instanceof CachedStorage)) return undefined;
    const sample = this.sample(storage, group, resource);
    if (!sample) return undefined;
    return { objects: storage.state.count(sample.prefix), objectBytes: sample.objectBytes };
  }

  private sample(storage: CachedStorage, group: string, resource: string): Sampled | undefined {
    const { clock } = this.deps;
    const name = `${resource}.${group}`;
    const known = this.sampled.get(name);
    const now = clock.monotonic();
    // Of none at all nothing is known: the next request looks again.
    if (known && known.objectBytes > 0 && now - known.at < SAMPLE_MS) return known;
    const prefix = known?.prefix ?? this.prefixOf(group, resource);
    if (prefix === undefined) return undefined;
    const { entries } = storage.state.page(prefix, undefined, SAMPLE);
    const bytes = entries.reduce((sum, { value }) => sum + value.length, 0);
    const found = { prefix, objectBytes: bytes / Math.max(1, entries.length), at: now };
    this.sampled.set(name, found);
    return found;
  }

  private prefixOf(group: string, resource: string): string | undefined {
    const { keyPrefix, kinds } = this.deps;
    const kind = kinds().find((one) => one.group === group && one.plural === resource);
    return kind && `${keyPrefix}${kind.storagePrefix}/`;
  }
}
