import { controllerOf } from '@orrery/apimachinery';
import type { Pod, PodResourceClaim, ResourceClaim } from '@orrery/api';

/** Held by claims that are allocated (k8s api/resource/v1: Finalizer). */
export const ALLOCATED_FINALIZER = 'resource.kubernetes.io/delete-protection';

/** Where the claim behind an entry of a pod is (k8s dynamic-resource-allocation resourceclaim.go:Name). */
export type ClaimPlace =
  /** `generated`: it has to be the pod's own. */
  | { readonly kind: 'named'; readonly name: string; readonly generated: boolean }
  /** None was made, for it is not needed. */
  | { readonly kind: 'not-needed' }
  /** The pod's status does not tell it yet, or the entry is of a kind that is not known. */
  | { readonly kind: 'unknown'; readonly why: string; readonly pending: boolean };

const podName = ({ metadata }: Pod): string => `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;

const claimName = ({ metadata }: ResourceClaim): string =>
  `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;

export function placeOfClaim(pod: Pod, entry: PodResourceClaim): ClaimPlace {
  const { resourceClaimName, resourceClaimTemplateName } = entry;
  if (resourceClaimName) return { kind: 'named', name: resourceClaimName, generated: false };
  const shown = JSON.stringify(podName(pod)).slice(1, -1);
  if (!resourceClaimTemplateName) {
    const why = `pod "${shown}", spec.resourceClaim ${JSON.stringify(entry.name)}: none of the supported fields are set`;
    return { kind: 'unknown', why, pending: false };
  }
  const status = pod.status?.resourceClaimStatuses?.find(({ name }) => name === entry.name);
  if (!status)
    return {
      kind: 'unknown',
      why: `pod "${shown}": ResourceClaim not created yet`,
      pending: true,
    };
  const { resourceClaimName: name } = status;
  return name ? { kind: 'named', name, generated: true } : { kind: 'not-needed' };
}

/** Why a generated claim is not the pod's; undefined when it is (k8s IsForPod). */
export function notOwnedBy(pod: Pod, claim: ResourceClaim): string | undefined {
  const text = `ResourceClaim ${claimName(claim)}`;
  if (claim.metadata.namespace !== pod.metadata.namespace)
    return `${text} is not in the same namespace as Pod ${podName(pod)}`;
  return controllerOf(claim)?.uid === pod.metadata.uid
    ? undefined
    : `${text} was not created for Pod ${podName(pod)} (Pod is not owner)`;
}

export const isReservedFor = ({ metadata }: Pod, { status }: ResourceClaim): boolean =>
  (status?.reservedFor ?? []).some(({ uid }) => uid === metadata.uid);
