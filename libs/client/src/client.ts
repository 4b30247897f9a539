import type { KubeObject, ListMeta, ObjectKey } from '@orrery/apimachinery';
import type { ResourceRef } from '@orrery/api';

export interface ListQuery {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  /** Asks page after page of this size and gives them as one list; `limit` gives only the first page. */
  readonly pageSize?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan';
}

export interface WatchQuery {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly resourceVersion: string;
  readonly allowWatchBookmarks?: boolean;
  readonly sendInitialEvents?: boolean;
  readonly timeoutSeconds?: number;
  /** Nobody reads metadata.managedFields: objects may come without them. Not told to the server, which sends them anyway. */
  readonly withoutManagedFields?: boolean;
}

export interface KubeList<T extends KubeObject> {
  readonly metadata: ListMeta;
  readonly items: T[];
}

export type WatchEvent<T extends KubeObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | {
      readonly type: 'BOOKMARK';
      readonly resourceVersion: string;
      readonly initialEventsEnd: boolean;
    };

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

export interface WriteQuery {
  readonly dryRun?: boolean;
  readonly fieldManager?: string;
  readonly force?: boolean;
  readonly signal?: AbortSignal;
}

export interface DeleteQuery {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

/** The whole API of one resource. Every method rejects with StatusError for an answer that is not 2xx, and with
 *  ConnectionError when no answer came (for a write: the outcome is unknown). */
export interface ResourceClient<T extends KubeObject> {
  get(key: ObjectKey, options?: { signal?: AbortSignal; resourceVersion?: string }): Promise<T>;
  list(query?: ListQuery, signal?: AbortSignal): Promise<KubeList<T>>;
  /** Yields events until the server ends the watch (normal), throws StatusError for an ERROR event. */
  watch(query: WatchQuery, signal: AbortSignal): AsyncIterable<WatchEvent<T>>;
  create(object: T, options?: WriteQuery): Promise<T>;
  update(object: T, options?: WriteQuery): Promise<T>;
  updateStatus(object: T, options?: WriteQuery): Promise<T>;
  patch(
    key: ObjectKey,
    type: PatchType,
    body: unknown,
    options?: WriteQuery & { readonly subresource?: string },
  ): Promise<T>;
  delete(key: ObjectKey, options?: DeleteQuery): Promise<void>;
  deleteCollection(query: ListQuery, options?: DeleteQuery): Promise<void>;
  /** POST to a subresource, e.g. pods/binding, pods/eviction, serviceaccounts/token. */
  createSubresource<R>(
    key: ObjectKey,
    subresource: string,
    body: unknown,
    options?: WriteQuery,
  ): Promise<R>;
  /** PUT of a subresource other than status, e.g. namespaces/finalize. */
  updateSubresource(object: T, subresource: string, options?: WriteQuery): Promise<T>;
}

/** What controllers and agents are given; built by `connect()` from a kubeconfig or from certificates. */
export interface KubeClient {
  resource<T extends KubeObject>(ref: ResourceRef<T>): ResourceClient<T>;
  /** GET, or another method, of any path, e.g. /version, /at/41; text as it came. */
  raw(
    path: string,
    signal?: AbortSignal,
    options?: {
      readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
      readonly body?: string;
      /** Media types to ask for; default JSON. */
      readonly accept?: string;
      /** Of an answer before: 304 when it would be the same. */
      readonly etag?: string | undefined;
    },
  ): Promise<{ readonly code: number; readonly body: string; readonly etag?: string | undefined }>;
  /** Closes pooled connections. */
  close(): Promise<void>;
}
