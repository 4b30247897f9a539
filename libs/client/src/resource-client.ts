import type { KubeObject, ObjectKey } from '@orrery/apimachinery';
import { isExpired, keyOf, toApiVersion } from '@orrery/apimachinery';
import type { ResourceRef } from '@orrery/api';
import { decodeAnswer } from './answer.js';
import type {
  DeleteQuery,
  KubeList,
  ListQuery,
  PatchType,
  ResourceClient,
  WatchEvent,
  WatchQuery,
  WriteQuery,
} from './client.js';
import {
  collectionPath,
  listParameters,
  objectPath,
  toDeleteOptions,
  toQuery,
  watchParameters,
  writeParameters,
} from './paths.js';
import type { HttpRequest, Transport } from './transport.js';
import { watchStream } from './watch-stream.js';

const PATCH_TYPES: Readonly<Record<PatchType, string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

/** Silence after which a watch without a timeout of its own is given up. */
const WATCH_IDLE_MS = 660_000;
const WATCH_GRACE_MS = 30_000;

/** ResourceClient over HTTP. */
export class HttpResourceClient<T extends KubeObject> implements ResourceClient<T> {
  readonly #apiVersion: string;

  constructor(
    private readonly transport: Transport,
    private readonly ref: ResourceRef<T>,
  ) {
    this.#apiVersion = toApiVersion(ref.group, ref.version);
  }

  get(
    key: ObjectKey,
    options: { signal?: AbortSignal; resourceVersion?: string } = {},
  ): Promise<T> {
    const query = toQuery({ resourceVersion: options.resourceVersion });
    return this.#call('GET', objectPath(this.ref, key) + query, { signal: options.signal });
  }

  async list(query: ListQuery = {}, signal?: AbortSignal): Promise<KubeList<T>> {
    const first = await this.#page(query, signal);
    if (query.pageSize === undefined || !first.metadata.continue) return first;
    try {
      return await this.#remainingPages(first, query, signal);
    } catch (error) {
      // The pages' revision was compacted meanwhile: the whole list at once is always possible.
      if (!isExpired(error)) throw error;
      const { pageSize: _, ...whole } = query;
      return this.#page(whole, signal);
    }
  }

  watch(query: WatchQuery, signal: AbortSignal): AsyncIterable<WatchEvent<T>> {
    const path = collectionPath(this.ref, query.namespace) + toQuery(watchParameters(query));
    const timeoutMs =
      query.timeoutSeconds === undefined
        ? WATCH_IDLE_MS
        : query.timeoutSeconds * 1000 + WATCH_GRACE_MS;
    const { withoutManagedFields = false } = query;
    return watchStream<T>(this.transport, path, { signal, timeoutMs, withoutManagedFields });
  }

  create(object: T, options: WriteQuery = {}): Promise<T> {
    const path = collectionPath(this.ref, object.metadata.namespace);
    return this.#write('POST', path, object, options);
  }

  update(object: T, options: WriteQuery = {}): Promise<T> {
    return this.#write('PUT', objectPath(this.ref, keyOf(object)), object, options);
  }

  updateStatus(object: T, options: WriteQuery = {}): Promise<T> {
    return this.#write('PUT', objectPath(this.ref, keyOf(object), 'status'), object, options);
  }

  updateSubresource(object: T, subresource: string, options: WriteQuery = {}): Promise<T> {
    // What a subresource takes may be of a kind of its own, such as Scale.
    const { apiVersion = this.#apiVersion, kind = this.ref.kind } = object;
    const path = objectPath(this.ref, keyOf(object), subresource);
    return this.#send('PUT', path, { ...object, apiVersion, kind }, options);
  }

  patch(
    key: ObjectKey,
    type: PatchType,
    body: unknown,
    options: WriteQuery & { readonly subresource?: string } = {},
  ): Promise<T> {
    const path = objectPath(this.ref, key, options.subresource);
    return this.#call('PATCH', path + toQuery(writeParameters(options)), {
      body: JSON.stringify(body),
      contentType: PATCH_TYPES[type],
      signal: options.signal,
    });
  }

  async delete(key: ObjectKey, options: DeleteQuery = {}): Promise<void> {
    await this.#call('DELETE', objectPath(this.ref, key), {
      body: JSON.stringify(toDeleteOptions(options)),
      signal: options.signal,
    });
  }

  async deleteCollection(query: ListQuery, options: DeleteQuery = {}): Promise<void> {
    const path = collectionPath(this.ref, query.namespace) + toQuery(listParameters(query));
    await this.#call('DELETE', path, {
      body: JSON.stringify(toDeleteOptions(options)),
      signal: options.signal,
    });
  }

  createSubresource<R>(
    key: ObjectKey,
    subresource: string,
    body: unknown,
    options: WriteQuery = {},
  ): Promise<R> {
    const path = objectPath(this.ref, key, subresource) + toQuery(writeParameters(options));
    return this.#call<R>('POST', path, { body: JSON.stringify(body), signal: options.signal });
  }

  async #remainingPages(
    first: KubeList<T>,
    query: ListQuery,
    signal?: AbortSignal,
  ): Promise<KubeList<T>> {
    const { items } = first;
    let { metadata } = first;
    while (metadata.continue) {
      const page = await this.#page({ ...query, continue: metadata.continue }, signal);
      for (const item of page.items) items.push(item);
      metadata = page.metadata;
    }
    return { metadata, items };
  }

  async #page(query: ListQuery, signal?: AbortSignal): Promise<KubeList<T>> {
    const path = collectionPath(this.ref, query.namespace) + toQuery(listParameters(query));
    const list = await this.#call<{ metadata?: KubeList<T>['metadata']; items?: T[] | null }>(
      'GET',
      path,
      { signal },
    );
    const items = list.items ?? [];
    // Items of a list carry no type of their own on the wire; with it they are as watch events bring them.
    for (const item of items) {
      item.apiVersion ??= this.#apiVersion;
      item.kind ??= this.ref.kind;
    }
    return { metadata: list.metadata ?? {}, items };
  }

  #write(method: string, path: string, object: T, options: WriteQuery): Promise<T> {
    return this.#send(
      method,
      path,
      { ...object, apiVersion: this.#apiVersion, kind: this.ref.kind },
      options,
    );
  }

  #send(method: string, path: string, body: T, options: WriteQuery): Promise<T> {
    return this.#call(method, path + toQuery(writeParameters(options)), {
      body: JSON.stringify(body),
      signal: options.signal,
    });
  }

  async #call<R = T>(
    method: string,
    path: string,
    request: Pick<HttpRequest, 'body' | 'contentType' | 'signal'>,
  ): Promise<R> {
    return decodeAnswer<R>(await this.transport.send({ method, path, ...request }));
  }
}
