import { compareQuantities, parseQuantity, zeroQuantity } from '@orrery/apimachinery';
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimStatus,
  StorageClass,
} from '@orrery/api';
import { toTime } from '@orrery/component';
import { PROVISIONED_BY } from '../persistent-volume/annotations.js';
import { capacityOf, requestOf } from '../persistent-volume/match-volume.js';
import { PROVISIONER } from '../local-path/local-path.decide.js';

export interface ExpansionWorld {
  readonly claim: PersistentVolumeClaim;
  readonly volume: PersistentVolume | undefined;
  readonly storage: StorageClass | undefined;
}

export type Expansion =
  | { readonly act: 'none' }
  /** Somebody else's driver has to: an external resizer. */
  | { readonly act: 'external'; readonly message: string }
  /** The volume has to be given the size first, then the claim says so. */
  | { readonly act: 'expand'; readonly size: string; readonly growVolume: boolean };

/** The size that a bound claim asks for beyond what it shows. */
function missingSize(claim: PersistentVolumeClaim): string | undefined {
  if (claim.status?.phase !== 'Bound' || claim.metadata.deletionTimestamp) return undefined;
  const shown = claim.status.capacity?.['storage'];
  const current = shown ? parseQuantity(shown) : zeroQuantity;
  if (compareQuantities(requestOf(claim), current) <= 0) return undefined;
  return claim.spec?.resources?.requests?.['storage'];
}

/** Pure: what an expansion needs next (k8s pkg/controller/volume/expand: syncHandler). */
export function decideExpansion({ claim, volume, storage }: ExpansionWorld): Expansion {
  const size = missingSize(claim);
  if (!size || volume?.spec?.claimRef?.uid !== claim.metadata.uid || !volume)
    return { act: 'none' };
  const isOurs =
    volume.metadata.annotations?.[PROVISIONED_BY] === PROVISIONER ||
    storage?.provisioner === PROVISIONER;
  if (!isOurs)
    return { act: 'external', message: 'waiting for an external controller to expand this PVC' };
  const growVolume = compareQuantities(capacityOf(volume), requestOf(claim)) < 0;
  return { act: 'expand', size, growVolume };
}

/** Pure: the status of a claim while it is expanded, or afterwards. */
export function expansionStatus(
  claim: PersistentVolumeClaim,
  now: number,
  size?: string,
): PersistentVolumeClaimStatus {
  const { conditions: before = [], ...status } = claim.status ?? {};
  const others = before.filter(({ type }) => type !== 'Resizing');
  const resizing = before.find(({ type }) => type === 'Resizing') ?? {
    type: 'Resizing',
    status: 'True' as const,
    lastTransitionTime: toTime(now),
  };
  const conditions = size === undefined ? [...others, resizing] : others;
  return {
    ...status,
    ...(size === undefined ? {} : { capacity: { ...status.capacity, storage: size } }),
    ...(conditions.length > 0 ? { conditions } : {}),
  };
}
