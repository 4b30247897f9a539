import type { KubeObject, ObjectKey } from '@orrery/apimachinery';
import { StatusError, isFenced, isNotFound, keyOf } from '@orrery/apimachinery';
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
import { isConnectionError } from '@orrery/client';
import type { InformerFactory } from '@orrery/informers';
import type { WriteFence } from './write-fence.js';

export interface GuardOptions {
  readonly client: KubeClient;
  readonly informers: InformerFactory;
  readonly fence: WriteFence;
  /** Throws when this process may no longer write, e.g. Leadership.assertMayWrite. Called before each write. */
  readonly beforeWrite?: () => void;
  /** Called when the server refused a write since the lease has passed to another. */
  readonly onFenced?: () => void;
}

/** How long a cache may be behind an attempt whose outcome is unknown before it is read anew. */
const CATCH_UP_MS = 300_000;

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

  async create(object: T, options?: WriteQuery): Promise<T> {
    try {
      return await this.#write(() => this.inner.create(object, options), options);
    } catch (error) {
      // A name that is given cannot be taken twice; one that the server makes up can.
      if (!object.metadata.name && isOutcomeUnknown(error)) this.#noteUnknown();
      throw error;
    }
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
    const uid = options?.preconditions?.uid ?? this.#cached(key)?.metadata.uid;
    try {
      await this.#send(() => this.inner.delete(key, options));
    } catch (error) {
      if (isNotFound(error)) this.#noteDeleted(key, uid);
      throw error;
    }
    if (!options?.dryRun) this.#noteDeleted(key, uid);
  }

  async deleteCollection(query: ListQuery, options?: DeleteQuery): Promise<void> {
    await this.#send(() => this.inner.deleteCollection(query, options));
  }

  async createSubresource<R>(
    key: ObjectKey,
    subresource: string,
    body: unknown,
    options?: WriteQuery,
  ): Promise<R> {
    return this.#send(() => this.inner.createSubresource<R>(key, subresource, body, options));
  }

  async #write(write: () => Promise<T>, options?: WriteQuery): Promise<T> {
    const result = await this.#send(write);
    const resourceVersion = result.metadata.resourceVersion;
    if (resourceVersion && !options?.dryRun) this.#noteWritten(keyOf(result), resourceVersion);
    return result;
  }

  async #send<R>(write: () => Promise<R>): Promise<R> {
    this.options.beforeWrite?.();
    try {
      return await write();
    } catch (error) {
      if (isFenced(error)) this.options.onFenced?.();
      throw error;
    }
  }

  #noteWritten(key: ObjectKey, resourceVersion: string): void {
    const { informers, fence } = this.options;
    const informer = informers.peek(this.ref);
    const revision = Number(resourceVersion);
    if (informer)
      // A no-op write answers with an old revision, which the cache may show before it has seen later ones.
      fence.note(
        () =>
          informer.hasSeen(resourceVersion) ||
          informer.lister.get(key)?.metadata.resourceVersion === resourceVersion,
        revision,
        this.ref,
      );
    // A cache of some objects only tells of those: it must show no older state of this one.
    for (const scoped of informers.peekScoped(this.ref))
      if (scoped.lister.get(key))
        fence.note(
          () => Number(scoped.lister.get(key)?.metadata.resourceVersion ?? revision) >= revision,
          revision,
          this.ref,
        );
  }

  /** The write may have been made: its key is not looked at again before the caches show what there is by now. */
  #noteUnknown(): void {
    const informer = this.options.informers.peek(this.ref);
    if (!informer) return;
    let known = false;
    const settle = (): void => {
      known = true;
    };
    informer.relist(AbortSignal.timeout(CATCH_UP_MS)).then(settle, settle);
    this.options.fence.note(() => known, undefined, this.ref);
  }

  #cached(key: ObjectKey): T | undefined {
    return this.options.informers.peek(this.ref)?.lister.get(key);
  }

  #noteDeleted(key: ObjectKey, uid: string | undefined): void {
    if (!this.options.informers.peek(this.ref)) return;
    const isShown = (): boolean => {
      const cached = this.#cached(key);
      return (
        !cached || cached.metadata.uid !== uid || cached.metadata.deletionTimestamp !== undefined
      );
    };
    this.options.fence.note(isShown, undefined, this.ref);
  }
}

/** No answer, or one that does not say whether the write was made. */
function isOutcomeUnknown(error: unknown): boolean {
  if (error instanceof StatusError) return error.code >= 500 && error.code !== 503;
  return isConnectionError(error) && !error.neverSent;
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
