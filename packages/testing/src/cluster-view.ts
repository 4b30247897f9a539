import { parseAllDocuments } from 'yaml';
import { ApiError } from './rest.js';
import type { RequestOptions, Rest } from './rest.js';
import { ResourceTypes, pathOf } from './resource-types.js';
import { OrreryError } from './test-server-process.js';

/**
 * An object of the cluster. Its fields are what its kind has; they are read without a type where the caller names none, as
 * a test reads what it expects to be there.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- `deployment.status.readyReplicas` must compile
export type AnyObject = Record<string, any>;

export interface Place {
  /** Default `default`. */
  readonly namespace?: string;
}

export interface ListOptions extends Place {
  readonly allNamespaces?: boolean;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface WaitOptions extends Place {
  /** Default 20,000: a first start on a busy machine, without compiled code, takes half of it. */
  readonly timeoutMs?: number;
}

const PATCHES = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
} as const;

const FIELD_MANAGER = 'orrery-testing';
/** Before a watch that has ended is opened again. */
const AGAIN_MS = 20;

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

const isList = ({ kind, items }: AnyObject): boolean =>
  typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items);

/** The items of a list, as kubectl takes them (`kind: List`), else the object itself. */
const itemsOf = (object: AnyObject): AnyObject[] =>
  isList(object) ? (object['items'] as AnyObject[]).flatMap(itemsOf) : [object];

function documentsOf(manifest: string | AnyObject | readonly AnyObject[]): AnyObject[] {
  if (typeof manifest !== 'string')
    return Array.isArray(manifest) ? [...manifest] : [manifest as AnyObject];
  return parseAllDocuments(manifest)
    .map((document) => {
      const [error] = document.errors;
      if (error) throw new OrreryError(`the manifest is not YAML: ${error.message}`);
      return document.toJS() as AnyObject | null;
    })
    .filter((object) => object !== null);
}

function splitRef(ref: string): [type: string, name: string] {
  const [type = '', name = '', ...rest] = ref.split('/');
  if (type === '' || name === '' || rest.length > 0)
    throw new OrreryError(`${ref}: name an object as TYPE/NAME, e.g. deployment/web`);
  return [type, name];
}

/** What a wait has seen of its object. */
class Look<T> {
  private last: T | undefined;
  /** What `isWanted` threw at its last look. */
  failure: Error | undefined;

  constructor(private readonly isWanted: (object: T) => unknown) {}

  /** Whether the object is as wanted; undefined = it is not there. */
  at(object: T | undefined): boolean {
    this.last = object;
    this.failure = undefined;
    try {
      return object !== undefined && Boolean(this.isWanted(object));
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error));
      return false;
    }
  }

  get state(): string {
    if (this.last === undefined) return 'there is no such object';
    const why = this.failure === undefined ? '' : `${this.failure.message}; `;
    return `${why}it is ${JSON.stringify(this.last, null, 2)}`;
  }
}

/** What can be read and written at one address: the cluster, its past (reading alone), or a fork. */
export class ClusterView {
  protected readonly types: ResourceTypes;

  constructor(protected readonly rest: Rest) {
    this.types = new ResourceTypes(rest);
  }

  /** https://…, also with the path of a past or a fork. */
  get server(): string {
    return this.rest.server;
  }

  /** Any request; JSON both ways. Throws ApiError for an answer that is not 2xx. */
  request<T = AnyObject>(path: string, options: RequestOptions = {}): Promise<T> {
    return this.rest.json<T>(path, options);
  }

  /** `get('deployment/web')`. Throws ApiError with code 404 when it is not there. */
  async get<T = AnyObject>(ref: string, place: Place = {}): Promise<T> {
    return this.request<T>(await this.pathOf(ref, place));
  }

  /** Like get; undefined when it is not there. */
  async find<T = AnyObject>(ref: string, place: Place = {}): Promise<T | undefined> {
    try {
      return await this.get<T>(ref, place);
    } catch (error) {
      if (error instanceof ApiError && error.code === 404) return undefined;
      throw error;
    }
  }

  /** `list('pods', { labelSelector: 'app=web' })`. */
  async list<T = AnyObject>(type: string, options: ListOptions = {}): Promise<T[]> {
    const { allNamespaces = false, namespace = 'default', labelSelector, fieldSelector } = options;
    const path = pathOf(await this.types.byName(type), allNamespaces ? undefined : namespace);
    const query = new URLSearchParams();
    if (labelSelector !== undefined) query.set('labelSelector', labelSelector);
    if (fieldSelector !== undefined) query.set('fieldSelector', fieldSelector);
    const { items } = await this.request<{ items: T[] }>(`${path}?${query.toString()}`);
    return items;
  }

  /** Creates an object where its metadata says. */
  async create<T = AnyObject>(object: AnyObject): Promise<T> {
    const { path } = await this.placeOf(object);
    return this.request<T>(`${path}?fieldManager=${FIELD_MANAGER}`, {
      method: 'POST',
      body: object,
    });
  }

  /** Server-side apply of one or more documents: YAML, an object, or a list of objects (also `kind: List`). In their order. */
  async apply(manifest: string | AnyObject | readonly AnyObject[]): Promise<AnyObject[]> {
    const applied: AnyObject[] = [];
    for (const object of documentsOf(manifest).flatMap(itemsOf)) {
      const { path, name } = await this.placeOf(object);
      if (name === undefined) throw new OrreryError(`apply: ${object['kind']} needs metadata.name`);
      const query = `fieldManager=${FIELD_MANAGER}&force=true&fieldValidation=Strict`;
      applied.push(
        await this.request(`${path}/${encodeURIComponent(name)}?${query}`, {
          method: 'PATCH',
          contentType: 'application/apply-patch+yaml',
          body: object,
        }),
      );
    }
    return applied;
  }

  /** A merge patch, or a strategic or JSON one; `subresource` e.g. status. */
  async patch<T = AnyObject>(
    ref: string,
    patch: unknown,
    options: Place & { readonly type?: keyof typeof PATCHES; readonly subresource?: string } = {},
  ): Promise<T> {
    const path = await this.pathOf(ref, options);
    const { type = 'merge', subresource } = options;
    return this.request<T>(
      `${path}${subresource === undefined ? '' : `/${subresource}`}?fieldManager=${FIELD_MANAGER}`,
      { method: 'PATCH', contentType: PATCHES[type], body: patch },
    );
  }

  async delete(ref: string, place: Place = {}): Promise<void> {
    await this.request(await this.pathOf(ref, place), { method: 'DELETE' });
  }

  /**
   * Resolves with the object once it is as wanted; at first it need not exist, and where `isWanted` throws it is not yet as
   * wanted: a status may not be there. Rejects when the time is over, saying how the object was then.
   */
  async waitFor<T = AnyObject>(
    ref: string,
    isWanted: (object: T) => unknown,
    { timeoutMs = 20_000, namespace = 'default' }: WaitOptions = {},
  ): Promise<T> {
    const [type, name] = splitRef(ref);
    const collection = pathOf(await this.types.byName(type), namespace);
    const field = encodeURIComponent(`metadata.name=${name}`);
    const over = AbortSignal.timeout(timeoutMs);
    const look = new Look(isWanted);
    try {
      for (;;) {
        const query = `watch=true&resourceVersion=0&fieldSelector=${field}`;
        for await (const line of this.rest.lines(`${collection}?${query}`, over)) {
          const { type: what, object } = line as { type: string; object: T };
          if (what === 'ERROR') break;
          if (look.at(what === 'DELETED' ? undefined : object)) return object;
        }
        over.throwIfAborted();
        await pause(AGAIN_MS);
      }
    } catch (error) {
      if (!over.aborted) throw error;
      throw new OrreryError(`${ref} was not as wanted after ${timeoutMs} ms: ${look.state}`, {
        cause: look.failure ?? error,
      });
    }
  }

  private async pathOf(ref: string, { namespace = 'default' }: Place): Promise<string> {
    const [type, name] = splitRef(ref);
    return pathOf(await this.types.byName(type), namespace, name);
  }

  private async placeOf(
    object: AnyObject,
  ): Promise<{ readonly path: string; readonly name: string | undefined }> {
    const { apiVersion, kind, metadata } = object as {
      apiVersion?: string;
      kind?: string;
      metadata?: { name?: string; namespace?: string };
    };
    if (apiVersion === undefined || kind === undefined)
      throw new OrreryError('an object needs apiVersion and kind');
    const type = await this.types.byKind(apiVersion, kind);
    return { path: pathOf(type, metadata?.namespace ?? 'default'), name: metadata?.name };
  }
}
