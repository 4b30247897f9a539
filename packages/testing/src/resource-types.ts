import { OrreryError } from './test-server-process.js';
import type { Rest } from './rest.js';

/** One resource of the API, as discovery tells it. */
export interface ResourceType {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

interface Discovered {
  readonly resource: string;
  readonly responseKind?: { readonly kind: string };
  readonly scope: string;
  readonly singularResource?: string;
  readonly shortNames?: readonly string[];
}

interface DiscoveryList {
  readonly items: readonly {
    readonly metadata?: { readonly name?: string };
    readonly versions: readonly {
      readonly version: string;
      readonly resources?: readonly Discovered[];
    }[];
  }[];
}

const AGGREGATED =
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';

/** Finds resources by any of their names; asks the server again for one that it does not know yet (a new CRD). */
export class ResourceTypes {
  private known: Promise<Map<string, ResourceType>> | undefined;

  constructor(private readonly rest: Rest) {}

  /** `pods`, `pod`, `po`, `Pod`, `deployment.apps`. */
  byName(name: string): Promise<ResourceType> {
    return this.find(name.toLowerCase());
  }

  byKind(apiVersion: string, kind: string): Promise<ResourceType> {
    return this.find(`${apiVersion}/${kind}`.toLowerCase());
  }

  private async find(key: string): Promise<ResourceType> {
    const before = await (this.known ?? this.ask());
    const found = before.get(key) ?? (await this.ask()).get(key);
    if (!found) throw new OrreryError(`the cluster has no resource type ${key}`);
    return found;
  }

  /** Asks the server; an answer that could not be had is not kept. */
  private ask(): Promise<Map<string, ResourceType>> {
    const asked = this.load();
    this.known = asked;
    asked.catch(() => {
      if (this.known === asked) this.known = undefined;
    });
    return asked;
  }

  private async load(): Promise<Map<string, ResourceType>> {
    const lists = await Promise.all(
      ['/api', '/apis'].map((path) => this.rest.json<DiscoveryList>(path, { accept: AGGREGATED })),
    );
    const types = new Map<string, ResourceType>();
    for (const { items } of lists)
      for (const item of items)
        for (const { version, resources = [] } of item.versions)
          for (const resource of resources)
            remember(types, { group: item.metadata?.name ?? '', version }, resource);
    return types;
  }
}

function remember(
  types: Map<string, ResourceType>,
  { group, version }: { readonly group: string; readonly version: string },
  { resource: plural, responseKind, scope, singularResource, shortNames = [] }: Discovered,
): void {
  const kind = responseKind?.kind ?? '';
  const type: ResourceType = { group, version, plural, kind, namespaced: scope === 'Namespaced' };
  const names = [plural, singularResource, kind, ...shortNames].filter(
    (name) => name !== undefined,
  );
  const apiVersion = group === '' ? version : `${group}/${version}`;
  const keys = [
    ...names.flatMap((name) => [name, `${name}.${group}`, `${name}.${version}.${group}`]),
    `${apiVersion}/${kind}`,
  ];
  // The first to have a name keeps it: groups and versions come in the server's order of preference.
  for (const key of keys.map((each) => each.toLowerCase()))
    if (!types.has(key)) types.set(key, type);
}

/** The path of a collection or, with a name, of an object. */
export function pathOf(type: ResourceType, namespace: string | undefined, name?: string): string {
  const base = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
  const inside =
    type.namespaced && namespace !== undefined
      ? `/namespaces/${encodeURIComponent(namespace)}`
      : '';
  return `${base}${inside}/${type.plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`;
}
