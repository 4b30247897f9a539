import type { Metrics } from '@orrery/component';
import type { OpenStorage } from '../config/open-storage.js';
import type { ResourceCatalog } from '../rest/resource-catalog.js';

/**
 * Counts the stored objects of each served resource (k8s apiserver pkg/storage/etcd3/metrics/metrics.go), as far as they
 * are in memory.
 */
export function measureObjects(
  metrics: Metrics,
  catalog: Pick<ResourceCatalog, 'all'>,
  { cached, keyPrefix }: Pick<OpenStorage, 'cached' | 'keyPrefix'>,
): void {
  if (!cached) return;
  const count = (prefix: string): number => cached.state.count(`${keyPrefix}${prefix}/`);
  metrics.gauge({
    name: 'apiserver_storage_objects',
    help: 'Objects that are stored, by resource.',
    labels: ['resource'],
    collect: (gauge) => {
      gauge.reset();
      for (const { kind } of catalog.all()) {
        const resource = kind.group ? `${kind.plural}.${kind.group}` : kind.plural;
        gauge.set({ resource }, count(kind.storagePrefix));
      }
    },
  });
  metrics.gauge({
    name: 'apiserver_resource_objects',
    help: 'Objects that are stored, by group and resource.',
    labels: ['group', 'resource'],
    collect: (gauge) => {
      gauge.reset();
      for (const { kind } of catalog.all()) {
        gauge.set({ group: kind.group, resource: kind.plural }, count(kind.storagePrefix));
      }
    },
  });
}
