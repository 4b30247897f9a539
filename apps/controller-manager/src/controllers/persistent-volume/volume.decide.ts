import type { PersistentVolume, PersistentVolumeClaim } from '@orrery/api';
import { PROVISIONED_BY } from './annotations.js';
import type { Told } from './claim.decide.js';
import { isChosenByBinder } from './claim.decide.js';

/** What is to be done about a volume. */
export type VolumeDecision =
  | { readonly act: 'phase'; readonly phase: Phase; readonly message?: string }
  /** The claim named by the volume has to look at it. */
  | { readonly act: 'look-at-claim' }
  /** The claim went another way: the volume is free again. */
  | { readonly act: 'unbind' }
  | { readonly act: 'release'; readonly failure?: Told }
  /** Its claim is gone, and it is to be emptied for another. */
  | { readonly act: 'recycle' }
  | { readonly act: 'mismatch'; readonly volume: Told; readonly claim: Told };

export type Phase = 'Available' | 'Bound' | 'Released' | 'Failed';

const mode = (object: PersistentVolume | PersistentVolumeClaim): string =>
  object.spec?.volumeMode ?? 'Filesystem';

/** Pure: what to do about a volume; `claim` is the one of its claimRef, if it is there (k8s pv_controller.go: syncVolume). */
export function decideVolume(
  volume: PersistentVolume,
  claim: PersistentVolumeClaim | undefined,
): VolumeDecision {
  const { claimRef } = volume.spec ?? {};
  if (!claimRef?.uid) return { act: 'phase', phase: 'Available' };
  if (claim?.metadata.uid !== claimRef.uid) return decideRelease(volume);
  const { name = '' } = volume.metadata;
  const named = claim.spec?.volumeName;
  if (!named) return decidePromised(volume, claim);
  if (named === name) return { act: 'phase', phase: 'Bound' };
  const isSpare =
    volume.metadata.annotations?.[PROVISIONED_BY] !== undefined &&
    volume.spec?.persistentVolumeReclaimPolicy === 'Delete';
  // Made for a claim that took another volume meanwhile.
  if (isSpare) return decideRelease(volume);
  return { act: 'unbind' };
}

/** The volume is kept for a claim that does not know of it yet. */
function decidePromised(volume: PersistentVolume, claim: PersistentVolumeClaim): VolumeDecision {
  if (mode(volume) === mode(claim)) return { act: 'look-at-claim' };
  const [name, its] = [volume.metadata.name ?? '', claim.metadata.name ?? ''];
  const tell = (message: string): Told => ({ type: 'Warning', reason: 'VolumeMismatch', message });
  return {
    act: 'mismatch',
    volume: tell(
      `Cannot bind PersistentVolume to requested PersistentVolumeClaim "${its}" due to incompatible volumeMode.`,
    ),
    claim: tell(
      `Cannot bind PersistentVolume "${name}" to requested PersistentVolumeClaim "${its}" due to incompatible volumeMode.`,
    ),
  };
}

/** The phase of a failure stays: it does not become Released again. */
function decideRelease(volume: PersistentVolume): VolumeDecision {
  const { persistentVolumeReclaimPolicy: policy, hostPath } = volume.spec ?? {};
  if (policy === 'Recycle' && hostPath) return { act: 'recycle' };
  const failure = reclaimFailure(volume);
  return failure ? { act: 'release', failure } : { act: 'release' };
}

/** Who provisioned a volume deletes it; what was made by hand nobody here can delete. */
function reclaimFailure(volume: PersistentVolume): Told | undefined {
  const { name = '', annotations } = volume.metadata;
  const warn = (reason: string, message: string): Told => ({ type: 'Warning', reason, message });
  switch (volume.spec?.persistentVolumeReclaimPolicy ?? 'Retain') {
    case 'Retain':
      return undefined;
    case 'Recycle':
      return warn('VolumeFailedRecycle', 'No recycler plugin found for the volume!');
    case 'Delete':
      if (annotations?.[PROVISIONED_BY] !== undefined) return undefined;
      return warn(
        'VolumeFailedDelete',
        `error getting deleter volume plugin for volume "${name}": no deletable volume plugin matched`,
      );
    default:
      return warn(
        'VolumeUnknownReclaimPolicy',
        'Volume has an unrecognized PersistentVolumeReclaimPolicy',
      );
  }
}

/** The volume as free as it was before the binder took it. */
export function unbound(volume: PersistentVolume): PersistentVolume {
  const next = structuredClone(volume);
  if (!next.spec?.claimRef) return next;
  if (isChosenByBinder(volume)) {
    delete next.spec.claimRef;
    delete next.metadata.annotations?.['pv.kubernetes.io/bound-by-controller'];
  } else delete next.spec.claimRef.uid;
  return next;
}
