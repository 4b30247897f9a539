import type { PersistentVolumeClaimSpec, TypedLocalObjectReference } from '../../../types.js';

type Sources = Pick<PersistentVolumeClaimSpec, 'dataSource' | 'dataSourceRef'>;

const isClaimOrSnapshot = ({ apiGroup, kind }: TypedLocalObjectReference): boolean =>
  (kind === 'PersistentVolumeClaim' && !apiGroup) ||
  (kind === 'VolumeSnapshot' && apiGroup === 'snapshot.storage.k8s.io');

/**
 * Takes away sources in other namespaces, which are alpha, and those that dataSource never could name, unless the
 * stored claim has them (k8s pkg/api/persistentvolumeclaim/util.go: DropDisabledFields,
 * EnforceDataSourceBackwardsCompatibility).
 */
export function dropDataSources(spec: Sources | undefined, old?: Sources): void {
  if (!spec) return;
  if (spec.dataSourceRef?.namespace && !old?.dataSourceRef) delete spec.dataSourceRef;
  if (old?.dataSource || old?.dataSourceRef || spec.dataSourceRef) return;
  if (spec.dataSource && !isClaimOrSnapshot(spec.dataSource)) delete spec.dataSource;
}

/** Either field says what the other says (NormalizeDataSources). Mutates. */
export function alignDataSources(spec: Sources | undefined): void {
  if (!spec) return;
  const { dataSource, dataSourceRef } = spec;
  if (dataSource && !dataSourceRef) spec.dataSourceRef = { ...dataSource };
  if (!dataSourceRef || dataSource || dataSourceRef.namespace) return;
  const { namespace: _empty, ...source } = dataSourceRef;
  spec.dataSource = source;
}
