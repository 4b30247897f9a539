import type { PersistentVolume, PersistentVolumeClaim } from '@orrery/api';
import type { Metrics } from '@orrery/component';
import type { Lister } from '@orrery/informers';
import { PROVISIONED_BY } from './annotations.js';
import { classOf } from './match-volume.js';

const UNKNOWN = 'N/A';

/** What is counted of bindings (k8s pkg/controller/volume/persistentvolume/metrics). */
export interface VolumeMeters {
  /** A volume could not be deleted. */
  deletionFailed(volume: PersistentVolume): void;
  /** A claim without a class gets the default one. */
  giveClass<T>(give: () => Promise<T>): Promise<T>;
}

/** Pure: the volume plugin of kube-controller-manager for a volume (pkg/volume/util: GetFullQualifiedPluginNameForVolume). */
export function pluginOf({ spec }: PersistentVolume): string {
  if (spec?.csi) return `kubernetes.io/csi:${spec.csi.driver}`;
  if (spec?.hostPath) return 'kubernetes.io/host-path';
  if (spec?.local) return 'kubernetes.io/local-volume';
  return spec?.nfs ? 'kubernetes.io/nfs' : UNKNOWN;
}

interface Gauges {
  readonly bound: string;
  readonly unbound: string;
}

function addGauges<T extends PersistentVolume | PersistentVolumeClaim>(
  metrics: Metrics,
  names: Gauges,
  {
    list,
    labelsOf,
    what,
  }: {
    readonly list: () => readonly T[];
    readonly labelsOf: (object: T) => Record<string, string>;
    readonly what: string;
  },
  labels: readonly string[],
): void {
  for (const state of ['bound', 'unbound'] as const)
    metrics.gauge({
      name: names[state],
      help: `Gauge measuring number of persistent volume${what} currently ${state}`,
      labels,
      collect: (gauge) => {
        gauge.reset();
        for (const object of list())
          if ((object.status?.phase === 'Bound') === (state === 'bound'))
            gauge.inc(labelsOf(object));
      },
    });
}

function addTotal(metrics: Metrics, volumes: Lister<PersistentVolume>): void {
  metrics.gauge({
    name: 'pv_collector_total_pv_count',
    help: 'Gauge measuring total number of persistent volumes',
    labels: ['plugin_name', 'volume_mode'],
    collect: (gauge) => {
      gauge.reset();
      for (const volume of volumes.list())
        gauge.inc({
          plugin_name: pluginOf(volume),
          volume_mode: volume.spec?.volumeMode ?? 'Filesystem',
        });
    },
  });
}

export function createVolumeMeters(
  metrics: Metrics,
  volumes: Lister<PersistentVolume>,
  claims: Lister<PersistentVolumeClaim>,
): VolumeMeters {
  addTotal(metrics, volumes);
  addGauges<PersistentVolume>(
    metrics,
    { bound: 'pv_collector_bound_pv_count', unbound: 'pv_collector_unbound_pv_count' },
    {
      list: () => volumes.list(),
      labelsOf: (volume) => ({ storage_class: volume.spec?.storageClassName ?? '' }),
      what: '',
    },
    ['storage_class'],
  );
  addGauges<PersistentVolumeClaim>(
    metrics,
    { bound: 'pv_collector_bound_pvc_count', unbound: 'pv_collector_unbound_pvc_count' },
    {
      list: () => claims.list(),
      labelsOf: (claim) => ({
        namespace: claim.metadata.namespace ?? '',
        storage_class: classOf(claim),
        volume_attributes_class: claim.spec?.volumeAttributesClassName ?? '',
      }),
      what: ' claim',
    },
    ['namespace', 'storage_class', 'volume_attributes_class'],
  );
  return createOperationMeters(metrics);
}

function createOperationMeters(metrics: Metrics): VolumeMeters {
  const errors = metrics.counter({
    name: 'volume_operation_total_errors',
    help: 'Total volume operation errors',
    labels: ['plugin_name', 'operation_name'],
  });
  const given = metrics.counter({
    name: 'retroactive_storageclass_total',
    help: 'Total number of retroactive StorageClass assignments to persistent volume claim',
  });
  const refused = metrics.counter({
    name: 'retroactive_storageclass_errors_total',
    help: 'Total number of failed retroactive StorageClass assignments to persistent volume claim',
  });
  return {
    deletionFailed: ({ metadata }) => {
      const plugin_name = metadata.annotations?.[PROVISIONED_BY] ?? UNKNOWN;
      errors.inc({ plugin_name, operation_name: 'delete' });
    },
    async giveClass(give) {
      try {
        const result = await give();
        given.inc();
        return result;
      } catch (error) {
        refused.inc();
        throw error;
      }
    },
  };
}
