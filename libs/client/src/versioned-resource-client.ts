import type { KubeObject, ObjectKey } from '@orrery/apimachinery';
import type { ResourceRef } from '@orrery/api';
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
import type { OlderVersion } from './older-versions.js';
import { isNoSuchResource, olderVersionOf } from './older-versions.js';

export interface VersionedParts {
  /** The versions of a group that the server has. */
  servedVersions(group: string): Promise<readonly string[]>;
  clientOf<T extends KubeObject>(ref: ResourceRef<T>): ResourceClient<T>;
}

interface Older<T extends KubeObject> {
  readonly client: ResourceClient<T>;
  readonly version: OlderVersion<T>;
}

/** Asks for a resource in its current version, and on servers that do not know it in an older one. */
export class VersionedResourceClient<T extends KubeObject> implements ResourceClient<T> {
  readonly #current: ResourceClient<T>;
  #older: Older<T> | undefined;

  constructor(
    private readonly ref: ResourceRef<T>,
    private readonly parts: VersionedParts,
  ) {
    this.#current = parts.clientOf(ref);
  }

  get(key: ObjectKey, options?: { signal?: AbortSignal; resourceVersion?: string }): Promise<T> {
    return this.#object((client) => client.get(key, options));
  }

  list(query?: ListQuery, signal?: AbortSignal): Promise<KubeList<T>> {
    return this.#either(
      () => this.#current.list(query, signal),
      async ({ client, version }) => {
        const { metadata, items } = await client.list(query, signal);
        return { metadata, items: items.map((item) => version.toCurrent(item)) };
      },
    );
  }

  async *watch(query: WatchQuery, signal: AbortSignal): AsyncGenerator<WatchEvent<T>, void> {
    if (!this.#older) {
      try {
        yield* this.#current.watch(query, signal);
        return;
      } catch (error) {
        await this.#findOlder(error);
      }
    }
    const older = this.#older;
    if (!older) return;
    for await (const event of older.client.watch(query, signal))
      yield event.type === 'BOOKMARK'
        ? event
        : { ...event, object: older.version.toCurrent(event.object) };
  }

  create(object: T, options?: WriteQuery): Promise<T> {
    return this.#write(object, (client, one) => client.create(one, options));
  }

  update(object: T, options?: WriteQuery): Promise<T> {
    return this.#write(object, (client, one) => client.update(one, options));
  }

  updateStatus(object: T, options?: WriteQuery): Promise<T> {
    return this.#write(object, (client, one) => client.updateStatus(one, options));
  }

  updateSubresource(object: T, subresource: string, options?: WriteQuery): Promise<T> {
    return this.#write(object, (client, one) =>
      client.updateSubresource(one, subresource, options),
    );
  }

  patch(
    key: ObjectKey,
    type: PatchType,
    body: unknown,
    options?: WriteQuery & { readonly subresource?: string },
  ): Promise<T> {
    return this.#either(
      () => this.#current.patch(key, type, body, options),
      async ({ client, version }) => {
        // A list of operations names paths, which these resources have in common.
        const sent = type === 'json' ? body : withoutType(version.toOlder(body as T), body);
        return version.toCurrent(await client.patch(key, type, sent, options));
      },
    );
  }

  delete(key: ObjectKey, options?: DeleteQuery): Promise<void> {
    return this.#either(
      () => this.#current.delete(key, options),
      ({ client }) => client.delete(key, options),
    );
  }

  deleteCollection(query: ListQuery, options?: DeleteQuery): Promise<void> {
    return this.#either(
      () => this.#current.deleteCollection(query, options),
      ({ client }) => client.deleteCollection(query, options),
    );
  }

  createSubresource<R>(
    key: ObjectKey,
    subresource: string,
    body: unknown,
    options?: WriteQuery,
  ): Promise<R> {
    return this.#either(
      () => this.#current.createSubresource<R>(key, subresource, body, options),
      ({ client }) => client.createSubresource<R>(key, subresource, body, options),
    );
  }

  #object(call: (client: ResourceClient<T>) => Promise<T>): Promise<T> {
    return this.#either(
      () => call(this.#current),
      async ({ client, version }) => version.toCurrent(await call(client)),
    );
  }

  #write(object: T, call: (client: ResourceClient<T>, object: T) => Promise<T>): Promise<T> {
    return this.#either(
      () => call(this.#current, object),
      async ({ client, version }) => version.toCurrent(await call(client, version.toOlder(object))),
    );
  }

  async #either<R>(current: () => Promise<R>, older: (older: Older<T>) => Promise<R>): Promise<R> {
    if (this.#older) return older(this.#older);
    try {
      return await current();
    } catch (error) {
      return older(await this.#findOlder(error));
    }
  }

  /** Throws the error again when it says something else, or when the server has no older version either. */
  async #findOlder(error: unknown): Promise<Older<T>> {
    if (!isNoSuchResource(error)) throw error;
    const served = await this.parts.servedVersions(this.ref.group);
    const version = await olderVersionOf(this.ref, served);
    if (!version) throw error;
    this.#older = { client: this.parts.clientOf(version.ref), version };
    return this.#older;
  }
}

/** A patch names its type only where it did so. */
function withoutType(patch: KubeObject, given: unknown): object {
  const { apiVersion, kind, ...rest } = patch;
  const named = typeof given === 'object' && given !== null && 'kind' in given;
  return named ? { ...rest, apiVersion, kind } : rest;
}
