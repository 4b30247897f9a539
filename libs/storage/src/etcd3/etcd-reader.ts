import type { IRangeRequest, IRangeResponse } from 'etcd3';

import { sealOf } from '../encryption/seal.js';
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
    const pages: ListResult[] = [];
    for await (const page of this.pages(prefix, options)) pages.push(page);
    const last = pages.at(-1);
    if (!last) throw new StorageError('internal', `list ${prefix}: etcd answered no page`);
    return pages.length === 1
      ? last
      : { ...last, entries: pages.flatMap(({ entries }) => entries) };
  }

  /** The same list page by page, each as large as one message should be; all are of one revision. */
  async *pages(prefix: string, options: ListOptions): AsyncGenerator<ListResult> {
    const { freshness, after, signal } = options;
    const end = prefixEnd(prefix);
    let wanted = options.limit ?? Infinity;
    let from = after === undefined ? Buffer.from(prefix) : keyAfter(after);
    let revision = freshness.kind === 'exact' ? freshness.revision : undefined;
    let pageKeys = FIRST_PAGE_KEYS;
    for (;;) {
      const page: Page = { from, end, limit: Math.min(pageKeys, wanted), revision };
      const response = await this.page(prefix, page, freshness, signal);
      revision ??= Number(response.header.revision);
      const entries = response.kvs.map(entryOfRange);
      const remaining = Math.max(0, Number(response.count) - entries.length);
      yield { entries, revision, remaining };
      const last = entries.at(-1);
      wanted -= entries.length;
      if (remaining === 0 || !last || wanted <= 0) return;
      from = keyAfter(last.key);
      pageKeys = nextPageKeys(response.kvs);
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
        { kind: 'read', what, anyMember: request.serializable === true },
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

/** As many keys as should fill a page, by the average of the page before. */
function nextPageKeys(kvs: IRangeResponse['kvs']): number {
  const bytes = kvs.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
  const keys = Math.floor((PAGE_BYTES * kvs.length) / Math.max(1, bytes));
  return Math.max(1, Math.min(MOST_PAGE_KEYS, keys));
}

function entryOfRange(state: IRangeResponse['kvs'][number]): StoredEntry {
  return new StoredEntry({
    key: state.key.toString(),
    revision: Number(state.mod_revision),
    createRevision: Number(state.create_revision),
    value: state.value,
    seal: sealOf(state),
  });
}
