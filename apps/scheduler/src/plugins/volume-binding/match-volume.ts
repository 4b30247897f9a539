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

const modeOf = (spec: { readonly volumeMode?: string } | undefined): string =>
  spec?.volumeMode ?? 'Filesystem';
const classOf = (spec: { readonly storageClassName?: string } | undefined): string =>
  spec?.storageClassName ?? '';

function isFree(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  if (volume.metadata.deletionTimestamp) return false;
  return volume.spec?.claimRef
    ? isFor(volume, claim)
    : (volume.status?.phase ?? 'Available') === 'Available';
}

function isOfItsKind({ spec, metadata }: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const modes: readonly string[] = spec?.accessModes ?? [];
  const { selector, accessModes = [] } = claim.spec ?? {};
  return (
    modeOf(spec) === modeOf(claim.spec) &&
    classOf(spec) === classOf(claim.spec) &&
    accessModes.every((mode) => modes.includes(mode)) &&
    (!selector || labelSelectorMatcher(selector).matches(metadata.labels))
  );
}

function suits(volume: PersistentVolume, claim: PersistentVolumeClaim, node: Node): boolean {
  const required = volume.spec?.nodeAffinity?.required;
  return (
    isFree(volume, claim) &&
    isOfItsKind(volume, claim) &&
    (!required || nodeMatchesSelector(required, node))
  );
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
