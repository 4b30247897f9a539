import { createHash } from 'node:crypto';
import type { KindDescriptor } from '@orrery/api';
import { toApiVersion } from '@orrery/apimachinery';
import type { ResourceCatalog, ServedResource } from '../rest/resource-catalog.js';
import type { SubresourceHandler } from '../subresources.js';

/** One line of discovery: a resource, or a subresource named `parent/sub`. */
export interface ApiResource {
  name: string;
  singularName: string;
  namespaced: boolean;
  group?: string;
  version?: string;
  kind: string;
  verbs: readonly string[];
  shortNames?: readonly string[];
  categories?: readonly string[];
  storageVersionHash?: string;
}

export const ALL_VERBS = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
] as const;

const STATUS_VERBS = ['get', 'patch', 'update'] as const;

/** Tells clients whether what is stored has changed its version (apiserver pkg/endpoints/discovery/storageversionhash.go). */
function storageVersionHash({ kind, custom }: ServedResource): string {
  const stored = kind.storageConversion ?? kind;
  // What a webhook converts lies in the definition's version, whichever is served.
  const version =
    custom?.convertedBy?.spec.versions.find(({ storage }) => storage)?.name ?? stored.version;
  const name = `${stored.group}/${version}/${stored.kind}`;
  return createHash('sha256').update(name).digest().subarray(0, 8).toString('base64');
}

function mainResource(served: ServedResource): ApiResource {
  const { kind } = served;
  return {
    name: kind.plural,
    singularName: kind.singular,
    namespaced: kind.scope === 'Namespaced',
    kind: kind.kind,
    verbs: kind.verbs ?? ALL_VERBS,
    ...(kind.shortNames.length > 0 ? { shortNames: kind.shortNames } : {}),
    ...(kind.categories.length > 0 ? { categories: kind.categories } : {}),
    storageVersionHash: storageVersionHash(served),
  };
}

/** Of a custom resource its status stands before its scale (apiextensions-apiserver pkg/apiserver/customresource_discovery_controller.go). */
function genericSubresources(kind: KindDescriptor, isCustom: boolean): ApiResource[] {
  const namespaced = kind.scope === 'Namespaced';
  const found: ApiResource[] = [];
  if (kind.scale) {
    found.push({
      name: `${kind.plural}/scale`,
      singularName: '',
      namespaced,
      group: 'autoscaling',
      version: 'v1',
      kind: 'Scale',
      verbs: STATUS_VERBS,
    });
  }
  if (kind.status) {
    found.push({
      name: `${kind.plural}/status`,
      singularName: '',
      namespaced,
      kind: kind.kind,
      verbs: STATUS_VERBS,
    });
  }
  if (isCustom) found.reverse();
  if (kind.group === '' && kind.plural === 'namespaces') {
    found.push({
      name: 'namespaces/finalize',
      singularName: '',
      namespaced,
      kind: 'Namespace',
      verbs: ['update'],
    });
  }
  return found;
}

function pluggedIn(kind: KindDescriptor, handlers: readonly SubresourceHandler[]): ApiResource[] {
  return handlers
    .filter(
      (handler) =>
        handler.group === kind.group &&
        handler.version === kind.version &&
        handler.resource === kind.plural,
    )
    .map((handler) => ({
      name: `${kind.plural}/${handler.subresource}`,
      singularName: '',
      namespaced: kind.scope === 'Namespaced',
      ...(handler.kind.version === undefined
        ? {}
        : { group: handler.kind.group ?? '', version: handler.kind.version }),
      kind: handler.kind.kind,
      verbs: [...handler.verbs].sort(),
    }));
}

const READS = ['get', 'list', 'watch'];

/** What is left of a resource where nothing can be written. */
function readable(resource: ApiResource): ApiResource[] {
  const verbs = resource.verbs.filter((verb) => READS.includes(verb));
  return verbs.length > 0 ? [{ ...resource, verbs }] : [];
}

/** Everything that a kind is served as. */
function resourcesOf(
  served: ServedResource,
  handlers: readonly SubresourceHandler[],
  isReadOnly: boolean,
): ApiResource[] {
  const { kind } = served;
  const generic = [mainResource(served), ...genericSubresources(kind, served.custom !== undefined)];
  if (!isReadOnly) return [...generic, ...pluggedIn(kind, handlers)];
  // The others ask processes, or write.
  const views = handlers.filter(({ strategy }) => strategy !== undefined);
  return [...generic, ...pluggedIn(kind, views)].flatMap(readable);
}

/** Everything served in a group version, sorted by name as upstream does; custom resources each with their subresources. */
export function apiResources(
  catalog: ResourceCatalog,
  handlers: readonly SubresourceHandler[],
  group: string,
  version: string,
): ApiResource[] {
  const byName = new Map<string, ApiResource>();
  for (const served of catalog.in(group, version)) {
    for (const resource of resourcesOf(served, handlers, catalog.isReadOnly))
      byName.set(resource.name, resource);
  }
  for (const request of catalog.requestKinds) {
    if (request.group !== group || request.version !== version || request.plural === '') continue;
    if (catalog.isReadOnly && request.kind === 'Binding') continue;
    byName.set(request.plural, {
      name: request.plural,
      singularName: request.kind.toLowerCase(),
      namespaced: request.namespaced,
      kind: request.kind,
      verbs: ['create'],
    });
  }
  const keyOf = catalog.isBuiltIn(group)
    ? (name: string): string => name
    : (name: string): string => name.replace(/\/.*/, '');
  const order = ({ name }: ApiResource, { name: other }: ApiResource): number =>
    keyOf(name) === keyOf(other) ? 0 : keyOf(name) < keyOf(other) ? -1 : 1;
  return [...byName.values()].sort(order);
}

/** APIResourceList of a group version: the legacy form of discovery. */
export const apiResourceList = (
  group: string,
  version: string,
  resources: readonly ApiResource[],
): Record<string, unknown> => ({
  kind: 'APIResourceList',
  ...(group === '' ? {} : { apiVersion: 'v1' }),
  groupVersion: toApiVersion(group, version),
  resources,
});
