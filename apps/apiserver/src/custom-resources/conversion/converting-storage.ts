import type { KubeObject } from '@orrery/apimachinery';
import type {
  Entry,
  ListOptions,
  ListResult,
  ReadOptions,
  Storage,
  StorageEvent,
  WatchItem,
  WatchOptions,
  WatchStream,
  WriteOptions,
} from '@orrery/storage';
import type { ConvertedForm } from './converted-object.js';

/** Turns objects into another version of their kind, all at once. */
export type ConvertObjects = (
  objects: readonly KubeObject[],
  apiVersion: string,
  form: ConvertedForm,
) => Promise<readonly KubeObject[]>;

export interface ConvertingOptions {
  /** As which objects are served. */
  readonly served: string;
  /** As which they are stored. */
  readonly stored: string;
  readonly convert: ConvertObjects;
}

const encode = ({ kind, apiVersion, metadata, ...rest }: KubeObject): Buffer =>
  Buffer.from(JSON.stringify({ kind, apiVersion, metadata, ...rest }));

/** An entry whose object has another shape; the place in etcd is the same. */
function reshaped(entry: Entry, object: KubeObject): Entry {
  const { key, revision, createRevision } = entry;
  const { resourceVersion: _version, ...metadata } = object.metadata;
  const shown = {
    ...object,
    metadata: { ...object.metadata, resourceVersion: String(revision) },
  };
  const head = JSON.stringify({ kind: object.kind, apiVersion: object.apiVersion });
  return {
    key,
    revision,
    createRevision,
    value: encode({ ...object, metadata }),
    bytes: encode(shown),
    typeEnd: Buffer.byteLength(head),
    object: shown,
  };
}

/** The object that comes with a write is the served one, not what is stored. */
const ofStored = (options?: WriteOptions): WriteOptions => ({ ...options, object: undefined });

/**
 * Storage of custom resources whose versions differ in more than their name: entries are converted to the served
 * version when they are read, and to the stored one when they are written. Each entry is converted once.
 */
export class ConvertingStorage implements Storage {
  private readonly known = new WeakMap<Entry, Entry>();

  constructor(
    private readonly inner: Storage,
    private readonly options: ConvertingOptions,
  ) {}

  async create(key: string, value: Buffer, options?: WriteOptions): Promise<Entry> {
    const stored = await this.toStored(value);
    return this.shape(await this.inner.create(key, stored, ofStored(options)));
  }

  async update(
    key: string,
    expected: number,
    value: Buffer,
    options?: WriteOptions,
  ): Promise<Entry> {
    const stored = await this.toStored(value);
    return this.shape(await this.inner.update(key, expected, stored, ofStored(options)));
  }

  async delete(key: string, expected: number, options?: WriteOptions): Promise<Entry> {
    return this.shape(await this.inner.delete(key, expected, options));
  }

  async get(key: string, options: ReadOptions): Promise<Entry | undefined> {
    const entry = await this.inner.get(key, options);
    return entry && this.shape(entry);
  }

  async list(prefix: string, options: ListOptions): Promise<ListResult> {
    const result = await this.inner.list(prefix, options);
    return { ...result, entries: await this.shapeAll(result.entries) };
  }

  async *watch(prefix: string, options: WatchOptions): WatchStream {
    for await (const items of this.inner.watch(prefix, options)) {
      const events = items.flatMap((item) => (item.kind === 'event' ? [item.event] : []));
      const shaped = await this.shapeAll(
        events.flatMap(({ entry, previous }) => (previous ? [entry, previous] : [entry])),
      );
      const byEntry = new Map<Entry, Entry>();
      let next = 0;
      for (const { entry, previous } of events) {
        for (const one of previous ? [entry, previous] : [entry]) {
          const found = shaped[next++];
          if (found) byEntry.set(one, found);
        }
      }
      yield items.map((item) => this.reshapeItem(item, byEntry));
    }
  }

  revision(signal?: AbortSignal): Promise<number> {
    return this.inner.revision(signal);
  }

  private reshapeItem(item: WatchItem, shaped: ReadonlyMap<Entry, Entry>): WatchItem {
    if (item.kind !== 'event') return item;
    const { event } = item;
    const of = (entry: Entry): Entry => shaped.get(entry) ?? entry;
    const made: StorageEvent = {
      ...event,
      entry: of(event.entry),
      ...(event.previous ? { previous: of(event.previous) } : {}),
    };
    return { kind: 'event', event: made };
  }

  private async toStored(value: Buffer): Promise<Buffer> {
    const object = JSON.parse(value.toString('utf8')) as KubeObject;
    const [stored = object] = await this.options.convert([object], this.options.stored, 'one');
    return encode(stored);
  }

  private async shape(entry: Entry): Promise<Entry> {
    const [shaped = entry] = await this.shapeAll([entry], 'one');
    return shaped;
  }

  private async shapeAll(
    entries: readonly Entry[],
    form: ConvertedForm = 'list',
  ): Promise<readonly Entry[]> {
    const { served, convert } = this.options;
    const open = entries.filter(
      (entry) => !this.known.has(entry) && entry.object.apiVersion !== served,
    );
    const made = await convert(
      open.map(({ object }) => object),
      served,
      form,
    );
    open.forEach((entry, i) => {
      const object = made[i];
      if (object) this.known.set(entry, reshaped(entry, object));
    });
    return entries.map((entry) => this.known.get(entry) ?? entry);
  }
}
