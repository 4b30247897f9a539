import { isDeepStrictEqual } from 'node:util';
import type { PersistentVolume, PersistentVolumeClaim } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import { BIND_COMPLETED, BOUND_BY_CONTROLLER } from './annotations.js';
import { isKeptFor } from './match-volume.js';

type Annotated = PersistentVolume | PersistentVolumeClaim;

function annotate<T extends Annotated>(object: T, name: string): void {
  object.metadata.annotations = { ...object.metadata.annotations, [name]: 'yes' };
}

/** Pure: the volume as it is when it is this claim's. */
export function volumeBoundTo(
  volume: PersistentVolume,
  claim: PersistentVolumeClaim,
): PersistentVolume {
  const next = structuredClone(volume);
  const { namespace, name, uid, resourceVersion } = claim.metadata;
  const { claimRef } = next.spec ?? {};
  if (claimRef?.uid === uid) return next;
  if (!isKeptFor(volume, claim)) annotate(next, BOUND_BY_CONTROLLER);
  next.spec = {
    ...next.spec,
    claimRef: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      ...(namespace ? { namespace } : {}),
      ...(name ? { name } : {}),
      ...(uid ? { uid } : {}),
      ...(resourceVersion ? { resourceVersion } : {}),
    },
  };
  return next;
}

/** Pure: the claim as it is when the volume is its own. */
export function claimBoundTo(
  claim: PersistentVolumeClaim,
  volume: PersistentVolume,
): PersistentVolumeClaim {
  const next = structuredClone(claim);
  if (next.spec?.volumeName !== volume.metadata.name) {
    next.spec = { ...next.spec, volumeName: volume.metadata.name ?? '' };
    annotate(next, BOUND_BY_CONTROLLER);
  }
  if (!next.metadata.annotations?.[BIND_COMPLETED]) annotate(next, BIND_COMPLETED);
  return next;
}

/**
 * The four writes of a binding, in an order that may end anywhere: volume, its phase, claim, its phase. Each is left out
 * when it is there already, so a binder that comes later goes on where one was stopped (k8s pv_controller.go: bind).
 */
export class Binding {
  constructor(
    private readonly volumes: ResourceClient<PersistentVolume>,
    private readonly claims: ResourceClient<PersistentVolumeClaim>,
  ) {}

  async bind(volume: PersistentVolume, claim: PersistentVolumeClaim): Promise<void> {
    const wantedVolume = volumeBoundTo(volume, claim);
    const taken = isDeepStrictEqual(wantedVolume, volume)
      ? volume
      : await this.volumes.update(wantedVolume);
    await this.setVolumePhase(taken, 'Bound');
    const wantedClaim = claimBoundTo(claim, volume);
    const given = isDeepStrictEqual(wantedClaim, claim)
      ? claim
      : await this.claims.update(wantedClaim);
    await this.setClaimPhase(given, 'Bound', taken);
  }

  /** Writes the phase unless the volume has it. */
  async setVolumePhase(
    volume: PersistentVolume,
    phase: 'Available' | 'Bound' | 'Released' | 'Failed',
    message?: string,
  ): Promise<boolean> {
    if (volume.status?.phase === phase) return false;
    const status = { phase, ...(message ? { message } : {}) };
    await this.volumes.updateStatus({ ...volume, status });
    return true;
  }

  /** Writes the phase with what it says of the volume, unless the claim has it. */
  async setClaimPhase(
    claim: PersistentVolumeClaim,
    phase: 'Bound' | 'Pending' | 'Lost',
    volume?: PersistentVolume,
  ): Promise<boolean> {
    const { accessModes: _, capacity, ...rest } = claim.status ?? {};
    // A claim that is bound may show less than its volume while it is being expanded.
    const shown = claim.status?.phase === 'Bound' && capacity ? capacity : volume?.spec?.capacity;
    const status = {
      ...rest,
      phase,
      ...(volume?.spec?.accessModes ? { accessModes: volume.spec.accessModes } : {}),
      ...(volume && shown ? { capacity: shown } : {}),
    };
    if (isDeepStrictEqual(status, claim.status)) return false;
    await this.claims.updateStatus({ ...claim, status });
    return true;
  }
}
