import type { IRangeRequest, IRangeResponse } from 'etcd3';

import { StorageError, isStorageError } from '../storage-error.js';
import type { Entry, Freshness, ListOptions, ListResult, ReadOptions } from '../storage.js';
import type { EtcdClient } from './etcd-client.js';
import { keyAfter, prefixEnd } from './key-range.js';
import { StoredEntry } from './stored-entry.js';

/** Bytes that one page of a list aims at; etcd limits a range by keys only. */
const PAGE_BYTES = 1_500_000;
const FIRST_PAGE_KEYS = 200;
const MOST_PAGE_KEYS = 5000;

interface Page {
  readonly from: Buffer;
  readonly end: Buffer;
  readonly limit: number;
  readonly revision: number | undefined;
}

/** Reads of etcd: linearizable unless 'any' is enough, lists in pages at one revision. */
export class EtcdReader {
  constructor(private readonly client: EtcdClient) {}

  async get(key: string, { freshness, signal }: ReadOptions): Promise<Entry | undefined> {
    const request: IRangeRequest = { key: Buffer.from(key) };
    if (freshness.kind === 'any') request.serializable = true;
    if (freshness.kind === 'exact') request.revision = freshness.revision;
    const response = await this.range(request, `get ${key}`, freshness, signal);
    return response.kvs.map(entryOfRange)[0];
  }

  async list(prefix: string, options: ListOptions): Promise<ListResult> {
    const { freshness, limit = Infinity, after, signal } = options;
    const end = prefixEnd(prefix);
    let from = after === undefined ? Buffer.from(prefix) : keyAfter(after);
    let revision = freshness.kind === 'exact' ? freshness.revision : undefined;
    let pageKeys = FIRST_PAGE_KEYS;
    const entries: Entry[] = [];
    for (;;) {
      const page: Page = { from, end, limit: Math.min(pageKeys, limit - entries.length), revision };
      const response = await this.page(prefix, page, freshness, signal);
      revision ??= Number(response.header.revision);
      let bytes = 0;
      for (const state of response.kvs) {
        bytes += state.key.length + state.value.length;
        entries.push(entryOfRange(state));
      }
      const last = entries.at(-1);
      const remaining = Number(response.count) - response.kvs.length;
      if (remaining <= 0 || !last || response.kvs.length === 0 || entries.length >= limit) {
        return { entries, revision, remaining: Math.max(0, remaining) };
      }
      from = keyAfter(last.key);
      pageKeys = nextPageKeys(bytes / response.kvs.length);
    }
  }

  /** The current revision, by quorum. */
  async revision(signal?: AbortSignal): Promise<number> {
    const { header } = await this.client.call(
      { kind: 'read', what: 'revision' },
      (etcd, options) => etcd.kv.range({ key: Buffer.from('/'), count_only: true }, options),
      signal,
    );
    return Number(header.revision);
  }

  private page(
    prefix: string,
    { from, end, limit, revision }: Page,
    freshness: Freshness,
    signal?: AbortSignal,
  ): Promise<IRangeResponse> {
    const request: IRangeRequest = { key: from, range_end: end, limit };
    if (revision !== undefined) request.revision = revision;
    else if (freshness.kind === 'any') request.serializable = true;
    return this.range(request, `list ${prefix}`, freshness, signal);
  }

  private async range(
    request: IRangeRequest,
    what: string,
    freshness: Freshness,
    signal?: AbortSignal,
  ): Promise<IRangeResponse> {
    try {
      const response = await this.client.call(
        { kind: 'read', what },
        (etcd, options) => etcd.kv.range(request, options),
        signal,
      );
      const current = Number(response.header.revision);
      if (freshness.kind === 'notOlderThan' && current < freshness.revision) {
        throw futureRevision(what, freshness.revision, current);
      }
      return response;
    } catch (error) {
      throw await this.withRevision(error, what, request);
    }
  }

  /** Adds the revision that a caller needs to answer 410 or 504. */
  private async withRevision(
    error: unknown,
    what: string,
    { revision }: IRangeRequest,
  ): Promise<unknown> {
    if (!isStorageError(error, 'futureRevision') || revision === undefined) return error;
    return futureRevision(what, Number(revision), await this.revision());
  }
}

export function futureRevision(what: string, wanted: number, current: number): StorageError {
  const message = `${what}: revision ${wanted} lies in the future, the current one is ${current}`;
  return new StorageError('futureRevision', message, { revision: current });
}

function nextPageKeys(averageBytes: number): number {
  return Math.max(1, Math.min(MOST_PAGE_KEYS, Math.floor(PAGE_BYTES / Math.max(1, averageBytes))));
}

function entryOfRange(state: IRangeResponse['kvs'][number]): StoredEntry {
  return new StoredEntry({
    key: state.key.toString(),
    revision: Number(state.mod_revision),
    createRevision: Number(state.create_revision),
    value: state.value,
  });
}
