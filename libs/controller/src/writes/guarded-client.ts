import type { KubeObject, ObjectKey } from '@orrery/apimachinery';
import { isNotFound, keyOf } from '@orrery/apimachinery';
import type { ResourceRef } from '@orrery/api';
import type {
  DeleteQuery,
  KubeClient,
  KubeList,
  ListQuery,
  PatchType,
  ResourceClient,
  WatchEvent,
  WatchQuery,
  WriteQuery,
} from '@orrery/client';
import type { InformerFactory } from '@orrery/informers';
import type { WriteFence } from './write-fence.js';

export interface GuardOptions {
  readonly client: KubeClient;
  readonly informers: InformerFactory;
  readonly fence: WriteFence;
  /** Throws when this process may no longer write, e.g. Leadership.assertMayWrite. Called before each write. */
  readonly beforeWrite?: () => void;
}

class GuardedResourceClient<T extends KubeObject> implements ResourceClient<T> {
  constructor(
    private readonly inner: ResourceClient<T>,
    private readonly ref: ResourceRef<T>,
    private readonly options: GuardOptions,
  ) {}

  get(key: ObjectKey, options?: { signal?: AbortSignal; resourceVersion?: string }): Promise<T> {
    return this.inner.get(key, options);
  }

  list(query?: ListQuery, signal?: AbortSignal): Promise<KubeList<T>> {
    return this.inner.list(query, signal);
  }

  watch(query: WatchQuery, signal: AbortSignal): AsyncIterable<WatchEvent<T>> {
    return this.inner.watch(query, signal);
  }

  create(object: T, options?: WriteQuery): Promise<T> {
    return this.#write(() => this.inner.create(object, options), options);
  }

  update(object: T, options?: WriteQuery): Promise<T> {
    return this.#write(() => this.inner.update(object, options), options);
  }

  updateStatus(object: T, options?: WriteQuery): Promise<T> {
    return this.#write(() => this.inner.updateStatus(object, options), options);
  }

  updateSubresource(object: T, subresource: string, options?: WriteQuery): Promise<T> {
    return this.#write(() => this.inner.updateSubresource(object, subresource, options), options);
  }

  patch(
    key: ObjectKey,
    type: PatchType,
    body: unknown,
    options?: WriteQuery & { readonly subresource?: string },
  ): Promise<T> {
    return this.#write(() => this.inner.patch(key, type, body, options), options);
  }

  async delete(key: ObjectKey, options?: DeleteQuery): Promise<void> {
    this.options.beforeWrite?.();
    const uid = options?.preconditions?.uid ?? this.#cached(key)?.metadata.uid;
    try {
      await this.inner.delete(key, options);
    } catch (error) {
      if (isNotFound(error)) this.#noteDeleted(key, uid);
      throw error;
    }
    if (!options?.dryRun) this.#noteDeleted(key, uid);
  }

  async deleteCollection(query: ListQuery, options?: DeleteQuery): Promise<void> {
    this.options.beforeWrite?.();
    await this.inner.deleteCollection(query, options);
  }

  async createSubresource<R>(
    key: ObjectKey,
    subresource: string,
    body: unknown,
    options?: WriteQuery,
  ): Promise<R> {
    this.options.beforeWrite?.();
    return this.inner.createSubresource<R>(key, subresource, body, options);
  }

  async #write(write: () => Promise<T>, options?: WriteQuery): Promise<T> {
    this.options.beforeWrite?.();
    const result = await write();
    const informer = this.options.informers.peek(this.ref);
    const resourceVersion = result.metadata.resourceVersion;
    if (informer && resourceVersion && !options?.dryRun) {
      const key = keyOf(result);
      // A no-op write answers with an old revision, which the cache may show before it has seen later ones.
      this.options.fence.note(
        () =>
          informer.hasSeen(resourceVersion) ||
          informer.lister.get(key)?.metadata.resourceVersion === resourceVersion,
        Number(resourceVersion),
      );
    }
    return result;
  }

  #cached(key: ObjectKey): T | undefined {
    return this.options.informers.peek(this.ref)?.lister.get(key);
  }

  #noteDeleted(key: ObjectKey, uid: string | undefined): void {
    if (!this.options.informers.peek(this.ref)) return;
    this.options.fence.note(() => {
      const cached = this.#cached(key);
      return (
        !cached || cached.metadata.uid !== uid || cached.metadata.deletionTimestamp !== undefined
      );
    });
  }
}

/** A client whose writes are checked before and remembered after; reads pass through. */
export class GuardedClient implements KubeClient {
  readonly #clients = new Map<string, ResourceClient<KubeObject>>();

  constructor(private readonly options: GuardOptions) {}

  resource<T extends KubeObject>(ref: ResourceRef<T>): ResourceClient<T> {
    const name = `${ref.group}/${ref.version}/${ref.plural}`;
    let client = this.#clients.get(name) as ResourceClient<T> | undefined;
    if (!client) {
      client = new GuardedResourceClient(this.options.client.resource(ref), ref, this.options);
      this.#clients.set(name, client as unknown as ResourceClient<KubeObject>);
    }
    return client;
  }

  async raw(
    path: string,
    signal?: AbortSignal,
    options: Parameters<KubeClient['raw']>[2] = {},
  ): Promise<{ code: number; body: string }> {
    if (options.method !== undefined && options.method !== 'GET') this.options.beforeWrite?.();
    return this.options.client.raw(path, signal, options);
  }

  close(): Promise<void> {
    return this.options.client.close();
  }
}
