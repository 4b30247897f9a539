import type { FieldError, KubeObject } from '@orrery/apimachinery';
import { toApiVersion } from '@orrery/apimachinery';
import type {
  GarbagePolicy,
  KindDescriptor,
  ScaleAccess,
  StorageConversion,
  Strategy,
} from '../kind.js';
import { defineKind } from '../kind.js';
import type { Json } from './json.js';

/** What differs between a removed version and the current one (the hub); absent = nothing but the version. */
export interface HubConversion {
  /** Both get and answer whole objects, share what they do not change, and change nothing that they are given. */
  readonly toHub: (object: Json) => Json;
  readonly fromHub: (hub: Json) => Json;
}

/** When upstream deprecated and removed a kind (its APILifecycle), as `1.21` and `1.25`. */
export interface Lifecycle {
  readonly deprecated: string;
  readonly removed: string;
  /** `policy/v1 PodDisruptionBudget`; default: the hub's. False where upstream names none. */
  readonly replacement?: string | false;
}

export interface RemovedVersion {
  /** Default: the hub's. */
  readonly group?: string;
  readonly version: string;
  /** Absent = upstream says nothing (alpha versions). */
  readonly lifecycle?: Lifecycle;
  readonly conversion?: HubConversion;
  /** What this version fills in otherwise than the hub, whose defaults follow. Mutates. */
  readonly setDefaults?: (object: Json) => void;
  /** Findings of the hub that upstream spares this version. */
  readonly tolerates?: (finding: FieldError) => boolean;
  /** Default: the hub's. */
  readonly categories?: readonly string[];
  /** Default: the hub's. */
  readonly garbage?: GarbagePolicy;
}

/** k8s apiserver pkg/endpoints/deprecation/deprecation.go:WarningMessage. */
export function deprecationText(
  hub: Pick<KindDescriptor, 'group' | 'version' | 'kind'>,
  group: string,
  version: string,
  { deprecated, removed, replacement }: Lifecycle,
): string {
  const use = replacement ?? `${toApiVersion(hub.group, hub.version)} ${hub.kind}`;
  const text = `${toApiVersion(group, version)} ${hub.kind} is deprecated in v${deprecated}+, unavailable in v${removed}+`;
  return use === false ? text : `${text}; use ${use}`;
}

/** Shapes of one kind: how its objects come to the hub and back. */
interface Shapes {
  readonly toHub: (object: KubeObject) => KubeObject;
  readonly fromHub: (hub: KubeObject) => KubeObject;
}

function shapesOf(hub: KindDescriptor, group: string, removed: RemovedVersion): Shapes {
  const { toHub = (one: Json) => one, fromHub = (one: Json) => one } = removed.conversion ?? {};
  const typed = (object: Json, of: string, version: string): KubeObject =>
    ({ ...object, kind: hub.kind, apiVersion: toApiVersion(of, version) }) as unknown as KubeObject;
  return {
    toHub: (object) => typed(toHub(object as unknown as Json), hub.group, hub.version),
    fromHub: (object) => typed(fromHub(object as unknown as Json), group, removed.version),
  };
}

/** Lets the hub's hooks change an object that is in another shape. */
function changeAsHub(
  object: KubeObject,
  { toHub, fromHub }: Shapes,
  change: (hub: KubeObject) => void,
): void {
  const hub = toHub(object);
  change(hub);
  const made = fromHub(hub) as unknown as Json;
  const target = object as unknown as Json;
  for (const name of Object.keys(target)) if (!(name in made)) delete target[name];
  Object.assign(target, made);
}

/** The hub's strategy for objects in another shape. */
function strategyAsHub(
  strategy: Strategy,
  shapes: Shapes,
  tolerates: (finding: FieldError) => boolean,
): Strategy {
  const { toHub } = shapes;
  const judged = (found: readonly FieldError[] = []): FieldError[] =>
    found.filter((finding) => !tolerates(finding));
  return {
    ...strategy,
    prepareForCreate(object, context) {
      changeAsHub(object, shapes, (hub) => strategy.prepareForCreate?.(hub, context));
    },
    prepareForUpdate(object, old, context) {
      changeAsHub(object, shapes, (hub) => strategy.prepareForUpdate?.(hub, toHub(old), context));
    },
    validate: (object, context) => judged(strategy.validate?.(toHub(object), context)),
    validateUpdate: (object, old, context) =>
      judged(strategy.validateUpdate?.(toHub(object), toHub(old), context)),
    validateSlowly: async (object, old, context, found) =>
      judged(await strategy.validateSlowly?.(toHub(object), old && toHub(old), context, found)),
    canonicalize(object) {
      changeAsHub(object, shapes, (hub) => strategy.canonicalize?.(hub));
    },
  };
}

const scaleAsHub = (scale: ScaleAccess, shapes: Shapes): ScaleAccess => ({
  get: (object) => scale.get(shapes.toHub(object)),
  set: (object, replicas) => changeAsHub(object, shapes, (hub) => scale.set(hub, replicas)),
});

/** Objects lie in etcd as the hub's do: complete, with its defaults. */
function storageOf(hub: KindDescriptor, { toHub, fromHub }: Shapes): StorageConversion {
  const stored = hub.storageConversion;
  return {
    group: stored?.group ?? hub.group,
    version: stored?.version ?? hub.version,
    kind: stored?.kind ?? hub.kind,
    toStorage: (object) => (stored ? stored.toStorage(toHub(object)) : toHub(object)),
    fromStorage: (object) => fromHub(stored ? stored.fromStorage(object) : object),
  };
}

/**
 * A kind in a version that upstream has removed: everything that it does is done by the current version of the kind,
 * to which its objects are converted and back.
 */
export function removedKind(
  hub: KindDescriptor,
  removed: RemovedVersion,
): KindDescriptor & { readonly hub: KindDescriptor } {
  const { version, lifecycle, tolerates = () => false } = removed;
  const group = removed.group ?? hub.group;
  const shapes = shapesOf(hub, group, removed);
  const asHub = (strategy: Strategy): Strategy => strategyAsHub(strategy, shapes, tolerates);
  const { schema, message, deprecation: _deprecation, ...inherited } = hub;
  const subresources = Object.entries(hub.subresources ?? {});
  const isAggregator = hub.group === 'apiregistration.k8s.io';
  const inVersion = (name: string): string => name.replace('.v1.', `.${version}.`);
  return {
    ...defineKind({
      ...inherited,
      group,
      version,
      categories: removed.categories ?? hub.categories,
      ...(removed.garbage && { garbage: removed.garbage }),
      ...(isAggregator && { schema: inVersion(schema), message: inVersion(message) }),
      setDefaults(object) {
        removed.setDefaults?.(object as unknown as Json);
        changeAsHub(object, shapes, (one) => hub.setDefaults?.(one));
      },
      strategy: asHub(hub.strategy),
      ...(hub.status && { status: asHub(hub.status) }),
      ...(hub.scale && { scale: scaleAsHub(hub.scale, shapes) }),
      ...(subresources.length > 0 && {
        subresources: Object.fromEntries(subresources.map(([sub, one]) => [sub, asHub(one)])),
      }),
      selectableFields: (object) => hub.selectableFields?.(shapes.toHub(object)) ?? {},
      columns: {
        columns: hub.columns.columns,
        row: (object, now) => hub.columns.row(shapes.toHub(object), now),
      },
      storageConversion: storageOf(hub, shapes),
      ...(lifecycle && { deprecation: deprecationText(hub, group, version, lifecycle) }),
    }),
    hub,
  };
}
