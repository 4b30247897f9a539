import type { KubeObject, OwnerReference } from '@orrery/apimachinery';
import type { PersistentVolumeClaim, Pod, StatefulSet } from '@orrery/api';
import { claimNameOf } from './stateful-identity.js';

const refTo = (apiVersion: string, kind: string, object: KubeObject): OwnerReference => ({
  apiVersion,
  kind,
  name: object.metadata.name ?? '',
  uid: object.metadata.uid ?? '',
});

/** The claims that a pod of this ordinal needs. */
export function claimsOf(set: StatefulSet, ordinal: number): PersistentVolumeClaim[] {
  return (set.spec?.volumeClaimTemplates ?? []).map((template) => {
    const name = claimNameOf(set, template.metadata?.name ?? '', ordinal);
    const labels = { ...template.metadata?.labels, ...set.spec?.selector.matchLabels };
    const owners = ownersOfClaim(set, undefined, []);
    const claim = structuredClone(template);
    delete claim.status;
    claim.metadata = {
      ...claim.metadata,
      name,
      namespace: set.metadata.namespace ?? '',
      labels,
      ...(owners.length > 0 ? { ownerReferences: owners } : {}),
    };
    return claim;
  });
}

/**
 * Pure: who a claim is deleted with (k8s pkg/controller/statefulset/stateful_set_utils.go:
 * updateClaimOwnerRefForSetAndPod). `scaledDown` is the claim's pod when its ordinal is no longer wanted.
 */
export function ownersOfClaim(
  set: StatefulSet,
  scaledDown: Pod | undefined,
  before: readonly OwnerReference[],
): OwnerReference[] {
  const { whenDeleted, whenScaled } = set.spec?.persistentVolumeClaimRetentionPolicy ?? {};
  const withPod = whenScaled === 'Delete' && scaledDown !== undefined;
  const withSet = whenDeleted === 'Delete' && !withPod;
  const isOurs = ({ uid, kind, name }: OwnerReference): boolean =>
    uid === set.metadata.uid || (kind === 'Pod' && name.startsWith(`${set.metadata.name ?? ''}-`));
  const owners = before.filter((owner) => !isOurs(owner));
  if (withSet) owners.push(refTo('apps/v1', 'StatefulSet', set));
  if (withPod) owners.push(refTo('v1', 'Pod', scaledDown));
  return owners;
}
