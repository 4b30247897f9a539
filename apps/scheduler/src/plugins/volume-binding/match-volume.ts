import { labelSelectorMatcher, parseQuantity, quantityValue } from '@orrery/apimachinery';
import type { Node, PersistentVolume, PersistentVolumeClaim } from '@orrery/api';
import { nodeMatchesSelector } from '@orrery/controller';

export const capacityOf = (amount: string | number | undefined): number =>
  amount === undefined ? 0 : quantityValue(parseQuantity(String(amount)));

const requestOf = ({ spec }: PersistentVolumeClaim): number =>
  capacityOf(spec?.resources?.requests?.['storage']);

const isFor = ({ spec }: PersistentVolume, claim: PersistentVolumeClaim): boolean => {
  const ref = spec?.claimRef;
  if (!ref) return false;
  const { namespace, name, uid } = claim.metadata;
  return ref.namespace === namespace && ref.name === name && (!ref.uid || ref.uid === uid);
};

function suits(volume: PersistentVolume, claim: PersistentVolumeClaim, node: Node): boolean {
  const { spec, status, metadata } = volume;
  if (!spec || metadata.deletionTimestamp) return false;
  if (spec.claimRef ? !isFor(volume, claim) : (status?.phase ?? 'Available') !== 'Available')
    return false;
  if ((spec.volumeMode ?? 'Filesystem') !== (claim.spec?.volumeMode ?? 'Filesystem')) return false;
  if ((spec.storageClassName ?? '') !== (claim.spec?.storageClassName ?? '')) return false;
  const modes: readonly string[] = spec.accessModes ?? [];
  if (!(claim.spec?.accessModes ?? []).every((mode) => modes.includes(mode))) return false;
  const { selector } = claim.spec ?? {};
  if (selector && !labelSelectorMatcher(selector).matches(metadata.labels)) return false;
  const required = spec.nodeAffinity?.required;
  return !required || nodeMatchesSelector(required, node);
}

/**
 * The volume that the claim would get on the node: one that is kept for it, else the smallest that is large enough
 * (k8s component-helpers/storage/volume/pv_helpers.go:FindMatchingVolume). `taken`: names of volumes chosen already.
 */
export function matchVolume(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  node: Node,
  taken: ReadonlySet<string>,
): PersistentVolume | undefined {
  const wanted = requestOf(claim);
  let best: PersistentVolume | undefined;
  let least = Infinity;
  for (const volume of volumes) {
    if (taken.has(volume.metadata.name ?? '') || !suits(volume, claim, node)) continue;
    const capacity = capacityOf(volume.spec?.capacity?.['storage']);
    if (capacity < wanted) continue;
    if (isFor(volume, claim)) return volume;
    if (capacity < least) [best, least] = [volume, capacity];
  }
  return best;
}
