import type { ResourceCatalog } from '../rest/resource-catalog.js';
import type { SubresourceHandler } from '../subresources.js';
import type { ApiResource } from './api-resources.js';
import { apiResources } from './api-resources.js';

interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

const BUILT_IN: GroupVersion = { group: '', version: '' };

/**
 * Built-in resources name the group version of their kind only where it is another than their own; custom
 * resources always do (apiserver pkg/endpoints/installer.go, apiextensions-apiserver customresource_discovery_controller.go).
 */
const responseKind = (resource: ApiResource, own: GroupVersion): Record<string, string> => ({
  group: resource.version === undefined ? own.group : (resource.group ?? ''),
  version: resource.version ?? own.version,
  kind: resource.kind,
});

function toAggregated(
  resources: readonly ApiResource[],
  own: GroupVersion,
): Record<string, unknown>[] {
  const parents = resources.filter(({ name }) => !name.includes('/'));
  return parents.map((parent) => {
    const subresources = resources
      .filter(({ name }) => name.startsWith(`${parent.name}/`))
      .map((sub) => ({
        subresource: sub.name.slice(parent.name.length + 1),
        responseKind: responseKind(sub, own),
        verbs: sub.verbs,
      }));
    return {
      resource: parent.name,
      responseKind: responseKind(parent, own),
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
  const ownOf = (group: string, version: string): GroupVersion =>
    catalog.in(group, version).some(({ custom }) => custom) ? { group, version } : BUILT_IN;
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${options.version}`,
    metadata: {},
    items: groups.map(({ group, versions }) => ({
      metadata: group === '' ? {} : { name: group },
      versions: versions.map((version) => ({
        version,
        resources: toAggregated(
          apiResources(catalog, handlers, group, version),
          ownOf(group, version),
        ),
        freshness: 'Current',
      })),
    })),
  };
}
