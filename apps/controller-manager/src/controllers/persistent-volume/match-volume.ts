import {
  compareQuantities,
  labelSelectorMatcher,
  parseQuantity,
  zeroQuantity,
} from '@orrery/apimachinery';
import type { Quantity } from '@orrery/apimachinery';
import type { PersistentVolume, PersistentVolumeClaim } from '@orrery/api';
import { BETA_STORAGE_CLASS } from './annotations.js';

/** The class of a claim or volume; '' for none. */
export const classOf = ({ metadata, spec }: PersistentVolumeClaim | PersistentVolume): string =>
  metadata.annotations?.[BETA_STORAGE_CLASS] ?? spec?.storageClassName ?? '';

export const capacityOf = ({ spec }: PersistentVolume): Quantity =>
  spec?.capacity?.['storage'] ? parseQuantity(spec.capacity['storage']) : zeroQuantity;

export const requestOf = ({ spec }: PersistentVolumeClaim): Quantity =>
  spec?.resources?.requests?.['storage']
    ? parseQuantity(spec.resources.requests['storage'])
    : zeroQuantity;

/** Whether the volume is kept for exactly this claim, by name or by uid. */
export function isKeptFor(
  { spec }: PersistentVolume,
  { metadata }: PersistentVolumeClaim,
): boolean {
  const { claimRef } = spec ?? {};
  if (claimRef?.name !== metadata.name || claimRef?.namespace !== metadata.namespace) return false;
  return !claimRef?.uid || claimRef.uid === metadata.uid;
}

/** Why the two cannot be bound, in upstream's words (k8s pv_controller.go: checkVolumeSatisfyClaim). */
export function mismatchOf(
  volume: PersistentVolume,
  claim: PersistentVolumeClaim,
): string | undefined {
  if (compareQuantities(capacityOf(volume), requestOf(claim)) < 0)
    return 'requested PV is too small';
  if (classOf(volume) !== classOf(claim)) return 'storageClassName does not match';
  if (attributesOf(volume) !== attributesOf(claim))
    return 'volumeAttributesClassName does not match';
  if (modeOf(volume) !== modeOf(claim)) return 'incompatible volumeMode';
  return hasModes(volume, claim) ? undefined : 'incompatible accessMode';
}

const modeOf = ({ spec }: PersistentVolumeClaim | PersistentVolume): string =>
  spec?.volumeMode ?? 'Filesystem';

const attributesOf = ({ spec }: PersistentVolumeClaim | PersistentVolume): string =>
  spec?.volumeAttributesClassName ?? '';

const hasModes = ({ spec }: PersistentVolume, claim: PersistentVolumeClaim): boolean =>
  (claim.spec?.accessModes ?? []).every((mode) => spec?.accessModes?.includes(mode));

function isSelected({ metadata }: PersistentVolume, { spec }: PersistentVolumeClaim): boolean {
  if (!spec?.selector) return true;
  return labelSelectorMatcher(spec.selector).matches(metadata.labels ?? {});
}

/** The smallest first; among equals the name decides, so that every look finds the same. */
const bySize = (a: PersistentVolume, b: PersistentVolume): number =>
  compareQuantities(capacityOf(a), capacityOf(b)) ||
  ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1);

/**
 * Pure: the volume for a claim: the one that is kept for it, else, unless binding waits for a pod, the smallest that fits
 * (k8s component-helpers/storage/volume: FindMatchingVolume).
 */
export function findVolume(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  waits: boolean,
): PersistentVolume | undefined {
  const request = requestOf(claim);
  const usable = volumes.filter(
    (volume) =>
      modeOf(volume) === modeOf(claim) &&
      compareQuantities(capacityOf(volume), request) >= 0 &&
      !volume.metadata.deletionTimestamp,
  );
  const kept = usable.find((volume) => isKeptFor(volume, claim));
  if (kept || waits) return kept;
  const free = usable.filter(
    (volume) =>
      !volume.spec?.claimRef &&
      volume.status?.phase === 'Available' &&
      isSelected(volume, claim) &&
      mismatchOf(volume, claim) === undefined,
  );
  return free.sort(bySize)[0];
}
