import type { KubeObject, ObjectKey } from '@orrery/apimachinery';
import { controllerOf, toKeyString } from '@orrery/apimachinery';

/** The values under which an object is found in one index. */
export type IndexFunction<T extends KubeObject> = (object: T) => readonly string[];

/** Decides by labels; libs/apimachinery builds these from selectors. */
export type LabelMatcher = (labels: Readonly<Record<string, string>>) => boolean;

/** Reads of a cache. What is handed out is shared and never to be changed; `structuredClone` first. */
export interface Lister<T extends KubeObject> {
  get(key: ObjectKey): T | undefined;
  /** All objects, or those of a namespace, whose labels match. */
  list(namespace?: string, matches?: LabelMatcher): T[];
  /** Throws for an index that the informer was not given. */
  byIndex(index: string, value: string): T[];
}

export const BY_OWNER = 'owner';
export const BY_NODE = 'node';

/** Index of the controlling owner's uid. */
export const byOwner: IndexFunction<KubeObject> = (object) => {
  const owner = controllerOf(object);
  return owner ? [owner.uid] : [];
};

/** Index of `spec.nodeName`. */
export const byNode: IndexFunction<KubeObject> = (object) => {
  const name = (object as { spec?: { nodeName?: string } }).spec?.nodeName;
  return name ? [name] : [];
};

type Buckets<T> = Map<string, Map<string, T>>;

const NO_LABELS: Readonly<Record<string, string>> = {};

const keyStringOf = (object: KubeObject): string => {
  const { namespace, name } = object.metadata;
  return namespace ? `${namespace}/${name ?? ''}` : (name ?? '');
};

/** Objects by key, by namespace and by any index. */
export class Indexer<T extends KubeObject> implements Lister<T> {
  readonly #objects = new Map<string, T>();
  readonly #namespaces: Buckets<T> = new Map();
  readonly #functions = new Map<string, IndexFunction<T>>();
  readonly #buckets = new Map<string, Buckets<T>>();

  /** Adds an index over what is there and what comes; a known name is left alone. */
  addIndex(name: string, values: IndexFunction<T>): void {
    if (this.#functions.has(name)) return;
    const buckets: Buckets<T> = new Map();
    this.#functions.set(name, values);
    this.#buckets.set(name, buckets);
    for (const [key, object] of this.#objects)
      for (const value of values(object)) put(buckets, value, key, object);
  }

  get(key: ObjectKey): T | undefined {
    return this.#objects.get(toKeyString(key));
  }

  list(namespace?: string, matches?: LabelMatcher): T[] {
    const source = namespace ? this.#namespaces.get(namespace) : this.#objects;
    if (!source) return [];
    const all = [...source.values()];
    return matches ? all.filter((object) => matches(object.metadata.labels ?? NO_LABELS)) : all;
  }

  byIndex(index: string, value: string): T[] {
    const buckets = this.#buckets.get(index);
    if (!buckets) throw new TypeError(`there is no index named ${index}`);
    return [...(buckets.get(value)?.values() ?? [])];
  }

  get size(): number {
    return this.#objects.size;
  }

  keys(): IterableIterator<string> {
    return this.#objects.keys();
  }

  /** Stores the object and gives what it replaced. */
  set(object: T): T | undefined {
    const key = keyStringOf(object);
    const old = this.#objects.get(key);
    this.#objects.set(key, object);
    const { namespace } = object.metadata;
    if (namespace) put(this.#namespaces, namespace, key, object);
    for (const [name, valuesOf] of this.#functions) {
      const values = valuesOf(object);
      const buckets = this.#bucketsOf(name);
      // What stays is put in its place: a bucket of thousands would be laid out anew again and again.
      if (old)
        for (const value of valuesOf(old)) if (!values.includes(value)) take(buckets, value, key);
      for (const value of values) put(buckets, value, key, object);
    }
    return old;
  }

  /** Forgets the object of that key and gives it. */
  remove(key: string): T | undefined {
    const old = this.#objects.get(key);
    if (!old) return undefined;
    this.#unindex(key, old);
    this.#objects.delete(key);
    return old;
  }

  #bucketsOf(index: string): Buckets<T> {
    return this.#buckets.get(index) ?? new Map<string, Map<string, T>>();
  }

  #unindex(key: string, old: T): void {
    const { namespace } = old.metadata;
    if (namespace) take(this.#namespaces, namespace, key);
    for (const [name, values] of this.#functions)
      for (const value of values(old)) take(this.#bucketsOf(name), value, key);
  }
}

function put<T>(buckets: Buckets<T>, value: string, key: string, object: T): void {
  const bucket = buckets.get(value);
  if (bucket) bucket.set(key, object);
  else buckets.set(value, new Map([[key, object]]));
}

function take<T>(buckets: Buckets<T>, value: string, key: string): void {
  const bucket = buckets.get(value);
  bucket?.delete(key);
  if (bucket?.size === 0) buckets.delete(value);
}
