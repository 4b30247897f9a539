import type { KindDescriptor } from '@orrery/api';
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
  const measure = <L extends string>(
    about: { readonly name: string; readonly help: string; readonly labels: readonly L[] },
    labelsOf: (kind: KindDescriptor) => Record<L, string>,
  ): void => {
    metrics.gauge<L>({
      ...about,
      collect: (gauge) => {
        gauge.reset();
        for (const { kind } of catalog.all()) gauge.set(labelsOf(kind), count(kind.storagePrefix));
      },
    });
  };
  measure(
    {
      name: 'apiserver_storage_objects',
      help: 'Objects that are stored, by resource.',
      labels: ['resource'],
    },
    ({ group, plural }) => ({ resource: group ? `${plural}.${group}` : plural }),
  );
  measure(
    {
      name: 'apiserver_resource_objects',
      help: 'Objects that are stored, by group and resource.',
      labels: ['group', 'resource'],
    },
    ({ group, plural }) => ({ group, resource: plural }),
  );
}
