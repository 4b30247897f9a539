import type { Node, PersistentVolume, PersistentVolumeClaim } from '@orrery/api';
import type { StorageClass } from '../../framework/listed-kinds.js';
import type { Listers } from '../../framework/plugin.js';
import { nodeMatchesSelector } from '@orrery/controller';
import { storageClassOf } from './claims.js';
import type { PodClaims } from './claims.js';
import { matchVolume } from './match-volume.js';
import { hasEnoughCapacity } from './storage-capacity.js';

export const SELECTED_NODE = 'volume.kubernetes.io/selected-node';

/** What is to be done for a pod's claims on one node. */
export interface VolumePlan {
  readonly bindings: readonly {
    readonly claim: PersistentVolumeClaim;
    readonly volume: PersistentVolume;
  }[];
  readonly provisioned: readonly PersistentVolumeClaim[];
}

export const CONFLICT = {
  affinity: "node(s) didn't match PersistentVolume's node affinity",
  binding: "node(s) didn't find available persistent volumes to bind",
  space: 'node(s) did not have enough free storage',
  absent: 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)',
} as const;

/** Whether the class can make a volume that the node reaches. */
function provisions(storage: StorageClass | undefined, node: Node): storage is StorageClass {
  if (!storage?.provisioner || storage.provisioner === 'kubernetes.io/no-provisioner') return false;
  const topologies = storage.allowedTopologies ?? [];
  if (topologies.length === 0) return true;
  return topologies.some(({ matchLabelExpressions = [] }) =>
    matchLabelExpressions.every(({ key, values }) =>
      values.includes(node.metadata.labels?.[key] ?? ''),
    ),
  );
}

/** Why bound volumes keep the pod from the node. */
export function checkBound(
  names: readonly string[],
  node: Node,
  { volumes }: Listers,
): string | undefined {
  for (const name of names) {
    const volume = volumes.get({ name });
    if (!volume) return CONFLICT.absent;
    const required = volume.spec?.nodeAffinity?.required;
    if (required && !nodeMatchesSelector(required, node)) return CONFLICT.affinity;
  }
  return undefined;
}

/** The plan for the claims that wait for a node, or why there is none (k8s volumebinding/binder.go:FindPodVolumes). */
export function planVolumes(
  { delayed }: PodClaims,
  node: Node,
  listers: Listers,
  assumed: ReadonlySet<string>,
): VolumePlan | string {
  const taken = new Set(assumed);
  const bindings: { claim: PersistentVolumeClaim; volume: PersistentVolume }[] = [];
  const provisioned: PersistentVolumeClaim[] = [];
  const all = delayed.length > 0 ? listers.volumes.list() : [];
  for (const claim of delayed) {
    const selected = claim.metadata.annotations?.[SELECTED_NODE];
    if (selected !== undefined && selected !== node.metadata.name) return CONFLICT.binding;
    const volume = selected === undefined ? matchVolume(claim, all, node, taken) : undefined;
    if (volume) {
      taken.add(volume.metadata.name ?? '');
      bindings.push({ claim, volume });
    } else provisioned.push(claim);
  }
  for (const claim of provisioned) {
    const storage = storageClassOf(claim, listers);
    if (!provisions(storage, node)) return CONFLICT.binding;
    if (!hasEnoughCapacity(claim, storage, node, listers)) return CONFLICT.space;
  }
  return { bindings, provisioned };
}
