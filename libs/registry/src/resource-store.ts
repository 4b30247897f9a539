import type { KubeObject, Status } from '@orrery/apimachinery';
import type { KindDescriptor } from '@orrery/api';
import type { Storage } from '@orrery/storage';
import type { CreateCall } from './create.js';
import { createObject } from './create.js';
import type { DeleteCall, DeleteOptions, DeleteResult } from './delete.js';
import { deleteObject, deletedStatus } from './delete.js';
import { deleteCollection } from './delete-collection.js';
import type { ListRequest, WatchRequest } from './list-options.js';
import type { ObjectList } from './read.js';
import { getObject, listObjects } from './read.js';
import type { Representation } from './representation.js';
import type { RequestContext } from './request-context.js';
import type { StoreDeps, StoreHooks, StoreScope } from './store-deps.js';
import type { Transform, UpdateCall, UpdateResult } from './update-call.js';
import { updateObject } from './update.js';
import type { WatchEvent } from './watch.js';
import { watchObjects } from './watch.js';

export interface ResourceStoreOptions {
  readonly hooks?: StoreHooks;
  readonly ttlSeconds?: number;
  /** Where the objects are, when not in the server's storage: those that are made when asked for. */
  readonly storage?: Storage;
}

/** The generic store of one kind: the whole pipeline between an HTTP request and etcd. Throws only StatusError. */
export class ResourceStore {
  private readonly scope: StoreScope;

  constructor(
    readonly kind: KindDescriptor,
    deps: StoreDeps,
    options: ResourceStoreOptions = {},
  ) {
    this.scope = {
      kind,
      resource: { group: kind.group, resource: kind.plural },
      deps: options.storage ? { ...deps, storage: options.storage } : deps,
      hooks: options.hooks ?? {},
      ...(options.ttlSeconds ? { ttlSeconds: options.ttlSeconds } : {}),
    };
  }

  /** Stores a new object. `object` is changed on the way. */
  create(object: KubeObject, call: CreateCall): Promise<Representation> {
    return createObject(this.scope, object, call);
  }

  get(
    namespace: string | undefined,
    name: string,
    options?: { readonly resourceVersion?: string; readonly signal?: AbortSignal },
  ): Promise<Representation> {
    return getObject(this.scope, namespace, name, options);
  }

  list(request: ListRequest, signal?: AbortSignal): Promise<ObjectList> {
    return listObjects(this.scope, request, signal);
  }

  watch(request: WatchRequest): AsyncGenerator<readonly WatchEvent[], void> {
    return watchObjects(this.scope, request);
  }

  update(transform: Transform, call: UpdateCall): Promise<UpdateResult> {
    return updateObject(this.scope, transform, call);
  }

  delete(call: DeleteCall): Promise<DeleteResult> {
    return deleteObject(this.scope, call);
  }

  deleteCollection(
    request: ListRequest,
    call: {
      readonly context: RequestContext;
      readonly options: DeleteOptions;
      readonly dryRun?: boolean;
    },
  ): Promise<ObjectList> {
    return deleteCollection(this.scope, request, call);
  }

  /** What a completed deletion answers with. */
  deletedStatus(object: KubeObject): Status {
    return deletedStatus(this.scope, object);
  }
}
