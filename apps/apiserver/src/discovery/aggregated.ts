import type { ResourceCatalog } from '../rest/resource-catalog.js';
import type { SubresourceHandler } from '../subresources.js';
import type { ApiResource } from './api-resources.js';
import { apiResources } from './api-resources.js';

const responseKind = (
  resource: ApiResource,
  group: string,
  version: string,
): Record<string, string> => ({
  group: resource.version === undefined ? group : (resource.group ?? ''),
  version: resource.version ?? version,
  kind: resource.kind,
});

function toAggregated(
  resources: readonly ApiResource[],
  group: string,
  version: string,
): Record<string, unknown>[] {
  const parents = resources.filter(({ name }) => !name.includes('/'));
  return parents.map((parent) => {
    const subresources = resources
      .filter(({ name }) => name.startsWith(`${parent.name}/`))
      .map((sub) => ({
        subresource: sub.name.slice(parent.name.length + 1),
        responseKind: responseKind(sub, group, version),
        verbs: sub.verbs,
      }));
    return {
      resource: parent.name,
      responseKind: responseKind(parent, group, version),
      scope: parent.namespaced ? 'Namespaced' : 'Cluster',
      singularResource: parent.singularName,
      verbs: parent.verbs,
      ...(parent.shortNames ? { shortNames: parent.shortNames } : {}),
      ...(parent.categories ? { categories: parent.categories } : {}),
      ...(subresources.length > 0 ? { subresources } : {}),
    };
  });
}

/** APIGroupDiscoveryList of /api (core alone) or /apis (all other groups). */
export function aggregatedDiscovery(
  catalog: ResourceCatalog,
  handlers: readonly SubresourceHandler[],
  options: { readonly core: boolean; readonly version: 'v2' | 'v2beta1' },
): Record<string, unknown> {
  const groups = catalog.groups().filter(({ group }) => (group === '') === options.core);
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${options.version}`,
    metadata: {},
    items: groups.map(({ group, versions }) => ({
      metadata: group === '' ? {} : { name: group },
      versions: versions.map((version) => ({
        version,
        resources: toAggregated(apiResources(catalog, handlers, group, version), group, version),
        freshness: 'Current',
      })),
    })),
  };
}
