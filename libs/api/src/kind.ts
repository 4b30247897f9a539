import type { FieldError, KubeObject } from '@orrery/apimachinery';

/** What hooks may know of the request and of the cluster. Hooks are pure but for the object they are given. */
export interface KindContext {
  /** RFC 3339 with seconds: the request's time. */
  readonly now: string;
  /** The cluster's pod CIDR; addresses inside it are legal in Endpoints though they are loopback (architecture.md). */
  readonly podCidr?: string;
  readonly serviceCidr?: string;
  /** Versions that upstream has removed are served, so controllers of old releases write too. */
  readonly servesRemovedApis?: boolean;
  readonly user?: {
    readonly name: string;
    readonly groups: readonly string[];
    readonly uid?: string;
    readonly extra?: Readonly<Record<string, readonly string[]>>;
  };
  /** Adds a `Warning:` header to the answer. */
  warn(message: string): void;
}

/**
 * The hooks of one kind (or of one of its subresources) in the generic pipeline
 * (k8s apiserver pkg/registry/rest/create.go, update.go): decode, default, then
 * prepare -> name -> validate -> canonicalize -> store. Validation never throws and never mutates.
 */
export interface Strategy<T extends KubeObject = KubeObject> {
  /** Clears what clients may not set on create (status, ...). The pipeline has set uid, time, generation. Mutates. */
  prepareForCreate?(object: T, context: KindContext): void;
  /** Carries over what this endpoint may not change (the main resource keeps old.status, /status keeps old.spec). Mutates `object`. */
  prepareForUpdate?(object: T, old: T, context: KindContext): void;
  validate?(object: T, context: KindContext): readonly FieldError[];
  validateUpdate?(object: T, old: T, context: KindContext): readonly FieldError[];
  /**
   * Checks that may take long and wait in between; `found` is what the others have found already.
   * `old` is absent for creates. Never throws and never mutates.
   */
  validateSlowly?(
    object: T,
    old: T | undefined,
    context: KindContext,
    found: readonly FieldError[],
  ): Promise<readonly FieldError[]>;
  canonicalize?(object: T): void;
  /** PUT of an absent name creates it (upstream: Lease, Endpoints, Event, ...). Default false. */
  readonly allowCreateOnUpdate?: boolean;
  /** PUT without resourceVersion is accepted. Default true for built-in kinds. */
  readonly allowUnconditionalUpdate?: boolean;
}

/** How `/scale` reads and writes a kind. */
export interface ScaleAccess<T extends KubeObject = KubeObject> {
  get(object: T): { replicas: number; statusReplicas: number; selector: string };
  /** Mutates. */
  set(object: T, replicas: number): void;
  /** The field for replicas that an object lacks, as its definition names it; absent = none can lack it. */
  lacks?(object: T): string | undefined;
}

export interface TableColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format?: string;
  readonly description?: string;
  /** 0 is always shown, 1 only with -o wide. */
  readonly priority?: number;
}

export type TableCell = string | number | boolean | null;

export interface TableColumns<T extends KubeObject = KubeObject> {
  readonly columns: readonly TableColumn[];
  /** One cell per column; `now` in ms since the epoch, for ages. */
  row(object: T, now: number): TableCell[];
}

/**
 * Turns a served shape into the stored one and back. Hooks, validation and columns see the served shape;
 * both functions return new objects and keep metadata as it is.
 */
export interface StorageConversion<T extends KubeObject = KubeObject> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  toStorage(object: T): KubeObject;
  fromStorage(object: KubeObject): T;
}

/** A kind that is only ever POSTed and never stored (reviews, bindings, evictions, scales). */
export interface RequestKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Empty for kinds that are only bodies of subresources (Eviction, Scale, TokenRequest). */
  readonly plural: string;
  readonly namespaced: boolean;
  readonly schema: string;
  readonly message: string;
  /** As of {@link KindDescriptor}. */
  readonly deprecation?: string;
}

/** k8s apiserver pkg/registry/rest/delete.go:GarbageCollectionDeleteStrategy. */
export interface GarbagePolicy {
  /** 'Orphan': dependents stay; 'Unsupported': nobody depends on the kind, and it is not held whatever a delete asks for. */
  readonly byDefault: 'Orphan' | 'Unsupported';
  /** For those whose delete does not say. */
  readonly warning?: string;
}

/** Everything the machinery needs to serve one kind; the only file of a kind's folder that others import at run time. */
export interface KindDescriptor<T extends KubeObject = KubeObject> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly scope: 'Namespaced' | 'Cluster';
  /** Name in gen/schemas.json, e.g. io.k8s.api.apps.v1.ReplicaSet. */
  readonly schema: string;
  /** Protobuf message, e.g. k8s.io.api.apps.v1.ReplicaSet. */
  readonly message: string;
  /** etcd key prefix below /registry as upstream writes it, e.g. `replicasets`, `minions`, `services/specs`. */
  readonly storagePrefix: string;
  /** Fills absent fields; nothing else; idempotent. Mutates. */
  setDefaults?(object: T): void;
  readonly strategy: Strategy<T>;
  readonly status?: Strategy<T>;
  readonly scale?: ScaleAccess<T>;
  /** Strategies of further subresources that write this kind: pods/resize, namespaces/finalize, certificatesigningrequests/approval. */
  readonly subresources?: Readonly<Record<string, Strategy<T>>>;
  /** Field selectors beyond metadata.name and metadata.namespace. */
  selectableFields?(object: T): Record<string, string>;
  readonly columns: TableColumns<T>;
  /** Grace period in seconds that a delete gets when the client names none; absent = deleted at once (only Pod has one). */
  defaultGracePeriodSeconds?(object: T): number;
  /** What becomes of dependents where a delete does not say; absent = they go, too. */
  readonly garbage?: GarbagePolicy;
  /** Kinds whose spec changes bump metadata.generation. Default: true when the schema has spec and status. */
  readonly hasGeneration?: boolean;
  /** Changed annotations bump metadata.generation too (upstream: Deployment). */
  readonly countsAnnotations?: boolean;
  /** Set when objects are stored in the shape of another group version (events.k8s.io/v1 Events are stored as v1 Events). */
  readonly storageConversion?: StorageConversion<T>;
  /** Warning that every answer about this kind carries, e.g. `v1 Endpoints is deprecated in v1.33+; use …`. */
  readonly deprecation?: string;
  /** Set for a version that upstream has removed: the current version of the kind, whose hooks do the work. */
  readonly hub?: KindDescriptor;
  /** Verbs other than the full set (create, delete, deletecollection, get, list, patch, update, watch). */
  readonly verbs?: readonly string[];
}

type Optional = 'singular' | 'shortNames' | 'categories' | 'schema' | 'message' | 'storagePrefix';

/** Assembles a kind; names that follow from group, version and kind need not be given. */
export function defineKind<T extends KubeObject>(
  kind: Omit<KindDescriptor<T>, Optional> & Partial<Pick<KindDescriptor<T>, Optional>>,
): KindDescriptor<T> {
  const pkg = (kind.group.split('.')[0] ?? '') || 'core';
  const isCrd = kind.group === 'apiextensions.k8s.io';
  const home = isCrd ? 'pkg.apis.apiextensions' : pkg;
  return {
    singular: kind.kind.toLowerCase(),
    shortNames: [],
    categories: [],
    schema: isCrd
      ? `io.k8s.apiextensions-apiserver.${home}.${kind.version}.${kind.kind}`
      : `io.k8s.api.${home}.${kind.version}.${kind.kind}`,
    message: isCrd
      ? `k8s.io.apiextensions_apiserver.${home}.${kind.version}.${kind.kind}`
      : `k8s.io.api.${home}.${kind.version}.${kind.kind}`,
    storagePrefix: kind.plural,
    ...kind,
  };
}
