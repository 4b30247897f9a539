import type {
  Pod,
  PodResourceClaim,
  ResourceClaim,
  ResourceClaimConsumerReference,
  ResourceClaimTemplate,
} from '@orrery/api';
import { resources } from '@orrery/api';
import { ALLOCATED_FINALIZER, toControllerRef } from '@orrery/controller';
import { isTerminated } from '../../pods/pod-state.js';

/** On generated claims: the pod's name for it (k8s pkg/controller/resourceclaim: podResourceClaimAnnotation). */
export const CLAIM_OF_POD = 'resource.kubernetes.io/pod-claim-name';

/** Leaves room for a hyphen and five random characters in a name of 63. */
const MAX_BASE = 57;

/** Both names shortened in proportion to their length where they are too long together. */
function baseName(pod: string, claim: string): string {
  const whole = `${pod}-${claim}-`;
  const short = (text: string): string =>
    text.slice(0, Math.floor((text.length * MAX_BASE) / whole.length));
  return whole.length <= MAX_BASE ? whole : `${short(pod)}-${short(claim)}`;
}

/** The claim that is made of a template for an entry of a pod; it goes with the pod. */
export function generatedClaim(
  pod: Pod,
  entry: PodResourceClaim,
  { spec }: ResourceClaimTemplate,
): ResourceClaim {
  const { labels, annotations } = spec.metadata ?? {};
  return {
    metadata: {
      generateName: baseName(pod.metadata.name ?? '', entry.name),
      namespace: pod.metadata.namespace ?? '',
      annotations: { ...annotations, [CLAIM_OF_POD]: entry.name },
      ...(labels ? { labels } : {}),
      ownerReferences: [toControllerRef(resources.pods, pod)],
    },
    spec: spec.spec,
  };
}

/** None of its containers runs or will (k8s isPodDone). */
export const isDone = (pod: Pod): boolean =>
  isTerminated(pod) || (pod.metadata.deletionTimestamp !== undefined && !pod.spec.nodeName);

export const wantsAdminAccess = ({ spec }: Pick<ResourceClaim, 'spec'>): boolean =>
  (spec.devices?.requests ?? []).some(({ exactly }) => exactly?.adminAccess === true);

/** What becomes of a claim whose users are looked at. */
export interface ClaimFate {
  /** To be written; undefined = as it is. */
  readonly status?: ResourceClaim['status'];
  /** The devices are free, or were never there: nothing is to be protected. */
  readonly release: boolean;
  /** Nobody uses it. */
  readonly idle: boolean;
}

const isHeld = ({ metadata }: ResourceClaim): boolean =>
  metadata.finalizers?.includes(ALLOCATED_FINALIZER) === true;

/** With these users alone, and without devices when they are given back. */
function statusWith(
  { status }: ResourceClaim,
  users: readonly ResourceClaimConsumerReference[],
  frees: boolean,
): NonNullable<ResourceClaim['status']> {
  const { allocation, devices, reservedFor: _, ...rest } = status ?? {};
  const kept = {
    ...rest,
    ...(allocation && !frees ? { allocation } : {}),
    ...(devices && !frees ? { devices } : {}),
  };
  return users.length > 0 ? { ...kept, reservedFor: [...users] } : kept;
}

/**
 * Pure: reservations of pods that are done end; with the last of them the devices are given back. A claim that was never
 * used keeps its devices until it is deleted (k8s pkg/controller/resourceclaim: syncClaim).
 */
export function decideFate(
  claim: ResourceClaim,
  valid: readonly ResourceClaimConsumerReference[],
): ClaimFate {
  const { reservedFor = [], allocation } = claim.status ?? {};
  const idle = valid.length === 0;
  const ended = valid.length < reservedFor.length;
  const release = idle && isHeld(claim) && (ended || Boolean(claim.metadata.deletionTimestamp));
  const changes = ended || (release && allocation !== undefined);
  return { ...(changes ? { status: statusWith(claim, valid, release) } : {}), release, idle };
}

/** Without the mark that keeps it while it is allocated. */
export function released(claim: ResourceClaim): ResourceClaim {
  const finalizers = claim.metadata.finalizers?.filter((name) => name !== ALLOCATED_FINALIZER);
  return { ...claim, metadata: { ...claim.metadata, ...(finalizers ? { finalizers } : {}) } };
}
