import { controllerOf } from '@orrery/apimachinery';
import type { PersistentVolumeClaim, Pod } from '@orrery/api';
import type { StorageClass } from '../../framework/listed-kinds.js';
import type { Listers } from '../../framework/plugin.js';
import { unresolvable } from '../../framework/status.js';
import type { Status } from '../../framework/status.js';

export interface ClaimUse {
  readonly name: string;
  readonly ephemeral: boolean;
}

/** The claims that a pod's volumes name. */
export function claimsOf(pod: Pod): ClaimUse[] {
  const uses: ClaimUse[] = [];
  for (const { name, persistentVolumeClaim, ephemeral } of pod.spec.volumes ?? []) {
    if (persistentVolumeClaim)
      uses.push({ name: persistentVolumeClaim.claimName, ephemeral: false });
    else if (ephemeral) uses.push({ name: `${pod.metadata.name}-${name}`, ephemeral: true });
  }
  return uses;
}

/** A pod's claims by what has to be done about them. */
export interface PodClaims {
  /** Names of the volumes that are bound. */
  readonly bound: readonly string[];
  /** To be bound or provisioned once a node is chosen. */
  readonly delayed: readonly PersistentVolumeClaim[];
}

const quoted = (name: string): string => `persistentvolumeclaim ${JSON.stringify(name)}`;

/** Why the claim keeps the pod from any node. */
function refuseClaim(
  pod: Pod,
  { name, ephemeral }: ClaimUse,
  claim: PersistentVolumeClaim | undefined,
): Status | undefined {
  if (!claim)
    return unresolvable(
      ephemeral
        ? `waiting for ephemeral volume controller to create the ${quoted(name)}`
        : `${quoted(name)} not found`,
    );
  if (claim.status?.phase === 'Lost')
    return unresolvable(
      `${quoted(name)} bound to non-existent persistentvolume ${JSON.stringify(claim.spec?.volumeName ?? '')}`,
    );
  if (claim.metadata.deletionTimestamp) return unresolvable(`${quoted(name)} is being deleted`);
  if (ephemeral && controllerOf(claim)?.uid !== pod.metadata.uid) {
    const { namespace = '', name: podName = '' } = pod.metadata;
    return unresolvable(
      `PVC ${namespace}/${name} was not created for pod ${namespace}/${podName} (pod is not owner)`,
    );
  }
  return undefined;
}

export const storageClassOf = (
  claim: PersistentVolumeClaim,
  { storageClasses }: Pick<Listers, 'storageClasses'>,
): StorageClass | undefined => storageClasses.get({ name: claim.spec?.storageClassName ?? '' });

/** Set by the volume controller when both sides name each other. */
const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed';

/** k8s scheduler_binder.go:isPVCFullyBound; the phase follows later. */
export const isBound = ({ metadata, spec }: PersistentVolumeClaim): boolean =>
  Boolean(spec?.volumeName) && metadata.annotations?.[BIND_COMPLETED] !== undefined;

/** k8s volumebinding/volume_binding.go:PreFilter. */
export function sortClaims(pod: Pod, listers: Listers): PodClaims | Status {
  const bound: string[] = [];
  const delayed: PersistentVolumeClaim[] = [];
  for (const use of claimsOf(pod)) {
    const { namespace = '' } = pod.metadata;
    const claim = listers.claims.get({ namespace, name: use.name });
    const refused = refuseClaim(pod, use, claim);
    if (refused || !claim) return refused ?? unresolvable(`${quoted(use.name)} not found`);
    const waits =
      storageClassOf(claim, listers)?.volumeBindingMode === 'WaitForFirstConsumer' &&
      !claim.spec?.volumeName;
    if (isBound(claim)) bound.push(claim.spec?.volumeName ?? '');
    else if (waits) delayed.push(claim);
    else return unresolvable('pod has unbound immediate PersistentVolumeClaims');
  }
  return { bound, delayed };
}
