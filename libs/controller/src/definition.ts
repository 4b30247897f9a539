import type { KubeObject, ObjectKey } from '@orrery/apimachinery';
import type { ResourceRef } from '@orrery/api';
import type { InformerScope } from '@orrery/informers';
import type { WrittenKind } from './writes/write-fence.js';

/** Events of `ref` that concern other objects: `map` names the keys to reconcile. */
export interface WatchDefinition<T extends KubeObject = KubeObject> {
  readonly ref: ResourceRef<T>;
  readonly scope?: InformerScope;
  readonly map: (object: T) => readonly ObjectKey[];
  /** Cuts needless work: whether a change is of interest. Default all. */
  readonly changed?: (object: T, old: T) => boolean;
  /** Older API servers do not have the resource: there it counts as empty. Default it must be there. */
  readonly mayBeAbsent?: boolean;
}

/** What a controller watches; the transport turns it into keys of its work queue. */
export interface ControllerDefinition {
  /** Names the message pattern and --controllers. */
  readonly name: string;
  /** How the queue is called in metrics; default the name. */
  readonly queue?: string;
  /** Reconcilers that run at once; a key is never reconciled twice at a time. */
  readonly concurrency: number;
  readonly watches: readonly WatchDefinition[];
  /** Keys to reconcile once at the start, for controllers of no kind of their own. */
  readonly initial?: readonly ObjectKey[];
  /** Another source of keys, for a controller whose watches are known only while it runs; with the event's revision. */
  readonly source?: (add: (key: ObjectKey, revision?: number) => void) => void;
  /** Told of a kind whose cache is behind the controller's own writes, whenever a key waits for it. */
  readonly onStale?: (kind: WrittenKind) => void;
}

type WatchOptions<T extends KubeObject> = Pick<
  WatchDefinition<T>,
  'scope' | 'changed' | 'mayBeAbsent'
>;

const named = (object: KubeObject): readonly ObjectKey[] => {
  const { namespace, name = '' } = object.metadata;
  return [namespace ? { namespace, name } : { name }];
};

/** Assembles a {@link ControllerDefinition}: which kind, what it owns, what else matters. */
export class DefinitionBuilder {
  #concurrency = 1;
  #initial: readonly ObjectKey[] = [];
  readonly #watches: WatchDefinition[] = [];
  #onStale: ControllerDefinition['onStale'];

  constructor(private readonly name: string) {}

  concurrency(count: number): this {
    this.#concurrency = count;
    return this;
  }

  onStale(told: ControllerDefinition['onStale']): this {
    this.#onStale = told;
    return this;
  }

  initially(...keys: readonly ObjectKey[]): this {
    this.#initial = keys;
    return this;
  }

  /** The primary kind: its own events reconcile it. */
  for<T extends KubeObject>(ref: ResourceRef<T>, options: WatchOptions<T> = {}): this {
    return this.watches(ref, named, options);
  }

  /** Objects whose controlling owner is of kind `owner`: their events reconcile the owner. */
  owns<T extends KubeObject>(
    ref: ResourceRef<T>,
    owner: ResourceRef,
    options: WatchOptions<T> = {},
  ): this {
    const group = owner.group === '' ? '' : `${owner.group}/`;
    const toOwner = (object: T): readonly ObjectKey[] => {
      const found = object.metadata.ownerReferences?.find((o) => o.controller === true);
      if (found?.kind !== owner.kind) return [];
      const sameGroup =
        group === '' ? !found.apiVersion.includes('/') : found.apiVersion.startsWith(group);
      if (!sameGroup) return [];
      const { namespace } = object.metadata;
      return [
        namespace && owner.namespaced ? { namespace, name: found.name } : { name: found.name },
      ];
    };
    return this.watches(ref, toOwner, options);
  }

  watches<T extends KubeObject>(
    ref: ResourceRef<T>,
    map: (object: T) => readonly ObjectKey[],
    options: WatchOptions<T> = {},
  ): this {
    this.#watches.push({ ref, map, ...options } as unknown as WatchDefinition);
    return this;
  }

  build(): ControllerDefinition {
    return {
      name: this.name,
      concurrency: this.#concurrency,
      watches: this.#watches,
      initial: this.#initial,
      ...(this.#onStale ? { onStale: this.#onStale } : {}),
    };
  }
}

export const defineController = (name: string): DefinitionBuilder => new DefinitionBuilder(name);
