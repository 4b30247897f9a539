import { labelSelectorMatcher } from '@orrery/apimachinery';
import type { Node, PersistentVolumeClaim } from '@orrery/api';
import type { CSIStorageCapacity, StorageClass } from '../../framework/listed-kinds.js';
import type { Listers } from '../../framework/plugin.js';
import { capacityOf } from './match-volume.js';

/** The largest volume that can be made out of it; undefined when it does not say. */
export function largestVolume({
  capacity,
  maximumVolumeSize,
}: CSIStorageCapacity): number | undefined {
  const limit = maximumVolumeSize ?? capacity;
  return limit === undefined ? undefined : capacityOf(limit);
}

function reaches({ nodeTopology }: CSIStorageCapacity, { metadata }: Node): boolean {
  return nodeTopology !== undefined && labelSelectorMatcher(nodeTopology).matches(metadata.labels);
}

/**
 * Whether the driver has room for the claim where the node reaches it. Only of drivers that tell
 * (k8s volumebinding/binder.go:hasEnoughCapacity).
 */
export function hasEnoughCapacity(
  claim: PersistentVolumeClaim,
  { metadata, provisioner }: StorageClass,
  node: Node,
  { csiDrivers, storageCapacities }: Pick<Listers, 'csiDrivers' | 'storageCapacities'>,
): boolean {
  const wanted = claim.spec?.resources?.requests?.['storage'];
  if (wanted === undefined) return true;
  if (csiDrivers.get({ name: provisioner })?.spec.storageCapacity !== true) return true;
  const bytes = capacityOf(wanted);
  return storageCapacities
    .list()
    .some(
      (one) =>
        one.storageClassName === metadata.name &&
        (largestVolume(one) ?? -1) >= bytes &&
        reaches(one, node),
    );
}
