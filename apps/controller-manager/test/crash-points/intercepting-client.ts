import type { KubeObject } from '@orrery/apimachinery';
import type { ResourceRef } from '@orrery/api';
import type { KubeClient, ResourceClient, WatchEvent } from '@orrery/client';

/** One write on its way: what it is, of what kind. */
export interface Write {
  readonly verb: string;
  readonly resource: string;
}

/** What stands between a client and its server. */
export interface Interceptor {
  /** Around each write. */
  write?<T>(write: Write, send: () => Promise<T>): Promise<T>;
  /** Around each watch. */
  watch?<T extends KubeObject>(
    ref: ResourceRef<T>,
    events: AsyncIterable<WatchEvent<T>>,
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent<T>>;
}

/** A request that was sent goes to its end although its process has died since, so that what came of it is known. */
const carried = <O extends { readonly signal?: AbortSignal }>(options?: O): O | undefined =>
  options && { ...options, signal: undefined };

function intercepted<T extends KubeObject>(
  inner: ResourceClient<T>,
  ref: ResourceRef<T>,
  interceptor: Interceptor,
): ResourceClient<T> {
  const sent = <R>(verb: string, send: () => Promise<R>): Promise<R> =>
    interceptor.write?.({ verb, resource: ref.plural }, send) ?? send();
  return {
    get: (key, options) => inner.get(key, options),
    list: (query, signal) => inner.list(query, signal),
    watch(query, signal) {
      const events = inner.watch(query, signal);
      return interceptor.watch?.(ref, events, signal) ?? events;
    },
    create: (object, options) => sent('create', () => inner.create(object, carried(options))),
    update: (object, options) => sent('update', () => inner.update(object, carried(options))),
    updateStatus: (object, options) =>
      sent('update status', () => inner.updateStatus(object, carried(options))),
    patch: (key, type, body, options) =>
      sent('patch', () => inner.patch(key, type, body, carried(options))),
    delete: (key, options) => sent('delete', () => inner.delete(key, carried(options))),
    deleteCollection: (query, options) =>
      sent('delete all', () => inner.deleteCollection(query, carried(options))),
    createSubresource: (key, subresource, body, options) =>
      sent(`create ${subresource}`, () =>
        inner.createSubresource(key, subresource, body, carried(options)),
      ),
    updateSubresource: (object, subresource, options) =>
      sent(`update ${subresource}`, () =>
        inner.updateSubresource(object, subresource, carried(options)),
      ),
  };
}

/** A client whose writes and watches pass through `interceptor`. */
export function intercept(client: KubeClient, interceptor: Interceptor): KubeClient {
  const clients = new Map<string, ResourceClient<KubeObject>>();
  return {
    resource<T extends KubeObject>(ref: ResourceRef<T>): ResourceClient<T> {
      const name = `${ref.group}/${ref.version}/${ref.plural}`;
      const known = clients.get(name) ?? wrap(ref);
      clients.set(name, known);
      return known as unknown as ResourceClient<T>;
    },
    raw: (path, signal, options) => client.raw(path, signal, options),
    close: () => client.close(),
  };

  function wrap<T extends KubeObject>(ref: ResourceRef<T>): ResourceClient<KubeObject> {
    return intercepted(
      client.resource(ref),
      ref,
      interceptor,
    ) as unknown as ResourceClient<KubeObject>;
  }
}
