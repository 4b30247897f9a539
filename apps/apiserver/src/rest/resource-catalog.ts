import type { KindDescriptor, RequestKind } from '@orrery/api';
import { ResourceStore } from '@orrery/registry';
import type { ResourceStoreOptions, StoreDeps } from '@orrery/registry';
import type { Storage } from '@orrery/storage';
import type { CustomKind } from '../custom-resources/custom-kind.js';
import type { ServedApis, ServedGroup } from '../removed-apis/served-apis.js';
import { servedApis } from '../removed-apis/served-apis.js';

/** A resource that is served: its kind and its store; `custom` where a CustomResourceDefinition declares it. */
export interface ServedResource {
  readonly kind: KindDescriptor;
  readonly store: ResourceStore;
  readonly custom?: CustomKind;
}

/** One definition behind the custom resources, at one state. */
export interface DefinitionEdition {
  readonly group: string;
  /** Two definitions of the same edition serve the same, in whichever catalog. */
  readonly edition: string;
  /** What it defines; shared by all catalogs that serve it, and held by them alone. */
  readonly kinds: readonly CustomKind[];
}

export type { ServedGroup };

/** The storage of a custom resource; undefined = the server's own. */
export type StorageOfCustom = (custom: CustomKind, storage: Storage) => Storage | undefined;

const idOf = (group: string, version: string, plural: string): string =>
  `${group}/${version}/${plural}`;

/** Every resource that is served at this moment: the built-in kinds, and what CustomResourceDefinitions add. */
export class ResourceCatalog {
  private readonly builtIn = new Map<string, ServedResource>();
  private custom: ReadonlyMap<string, ServedResource> = new Map();
  private customGroups: readonly ServedGroup[] = [];
  private edition = 0;
  private storageOf: StorageOfCustom | undefined;
  private customEditions: readonly DefinitionEdition[] = [];

  constructor(
    private readonly deps: StoreDeps,
    optionsOf: (kind: KindDescriptor) => ResourceStoreOptions,
    private readonly apis: ServedApis = servedApis(),
    /** Nothing of it can be written: discovery names the verbs that read. */
    readonly isReadOnly = false,
  ) {
    for (const kind of apis.kinds) {
      const store = new ResourceStore(kind, deps, optionsOf(kind));
      this.builtIn.set(idOf(kind.group, kind.version, kind.plural), { kind, store });
    }
  }

  /** The kinds that are answered and not stored. */
  get requestKinds(): readonly RequestKind[] {
    return this.apis.requestKinds;
  }

  /** Where custom resources lie that are not served as they are stored; to be said before they are. */
  convertWith(storageOf: StorageOfCustom): void {
    this.storageOf = storageOf;
  }

  /** Grows with every change of what is served: for caches of discovery and OpenAPI. */
  get version(): number {
    return this.edition;
  }

  /** Names what is served in a group, or in all: the same in every catalog that serves the same. */
  fingerprint(group?: string): string {
    return this.customEditions
      .filter((one) => group === undefined || one.group === group)
      .map(({ edition }) => edition)
      .sort()
      .join();
  }

  find(group: string, version: string, plural: string): ServedResource | undefined {
    const id = idOf(group, version, plural);
    return this.builtIn.get(id) ?? this.custom.get(id);
  }

  all(): ServedResource[] {
    return [...this.builtIn.values(), ...this.custom.values()];
  }

  in(group: string, version: string): ServedResource[] {
    return this.all().filter(({ kind }) => kind.group === group && kind.version === version);
  }

  groups(): ServedGroup[] {
    const taken = new Set(this.apis.groups.map(({ group }) => group));
    return [...this.apis.groups, ...this.customGroups.filter(({ group }) => !taken.has(group))];
  }

  /** Whether a group is this server's own, and not one of definitions. */
  isBuiltIn(group: string): boolean {
    return this.apis.groups.some((one) => one.group === group);
  }

  /** Replaces the custom resources. */
  setCustom(editions: readonly DefinitionEdition[], groups: readonly ServedGroup[]): void {
    const customKinds = editions.flatMap(({ kinds }) => kinds);
    this.custom = new Map(
      customKinds.map((custom) => {
        const { kind } = custom;
        const storage = this.storageOf?.(custom, this.deps.storage);
        const store = new ResourceStore(kind, this.deps, storage ? { storage } : {});
        return [idOf(kind.group, kind.version, kind.plural), { kind, store, custom }];
      }),
    );
    this.customGroups = groups;
    this.customEditions = editions;
    this.edition += 1;
  }
}
