import { resources } from '@orrery/api';
import type { PersistentVolumeClaim } from '@orrery/api';
import type { KubeClient } from '@orrery/client';
import type { Clock } from '@orrery/component';
import type { Listers } from '../../framework/plugin.js';
import { isBound } from './claims.js';
import { SELECTED_NODE } from './volume-plan.js';
import type { VolumePlan } from './volume-plan.js';

export interface VolumeWrites {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly listers: Listers;
  readonly timeoutMs: number;
}

const POLL_MS = 100;

/** Keeps volumes for their claims and tells provisioners the node. */
async function writePlan(plan: VolumePlan, nodeName: string, client: KubeClient): Promise<void> {
  for (const { claim, volume } of plan.bindings) {
    const { namespace, name, uid } = claim.metadata;
    const { uid: volumeUid, resourceVersion } = volume.metadata;
    await client
      .resource(resources.persistentvolumes)
      .patch({ name: volume.metadata.name ?? '' }, 'strategic', {
        metadata: {
          uid: volumeUid,
          resourceVersion,
          annotations: { 'pv.kubernetes.io/bound-by-controller': 'yes' },
        },
        spec: {
          claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid },
        },
      });
  }
  for (const claim of plan.provisioned) {
    if (claim.metadata.annotations?.[SELECTED_NODE] === nodeName) continue;
    const { namespace = '', name = '', uid } = claim.metadata;
    const metadata = { uid, annotations: { [SELECTED_NODE]: nodeName } };
    await client
      .resource(resources.persistentvolumeclaims)
      .patch({ namespace, name }, 'strategic', { metadata });
  }
}

/** False while the claim is not bound; throws when it never will be on this node. */
function checkClaim(
  { metadata }: PersistentVolumeClaim,
  { provisioned, nodeName, listers }: Waiting,
): boolean {
  const { namespace = '', name = '', uid } = metadata;
  const now = listers.claims.get({ namespace, name });
  if (now?.metadata.uid !== uid || !now)
    throw new Error(`pvc ${JSON.stringify(name)} was deleted while it was bound`);
  if (isBound(now)) return true;
  const selected = now.metadata.annotations?.[SELECTED_NODE];
  // A provisioner that cannot serve the node takes the annotation away, so that another is chosen.
  if (provisioned && selected !== undefined && selected !== nodeName)
    throw new Error(`provisioning failed for PVC ${JSON.stringify(name)}`);
  return false;
}

interface Waiting {
  readonly provisioned: boolean;
  readonly nodeName: string;
  readonly listers: Listers;
}

/** Carries the plan out and waits until all claims are bound (k8s volumebinding/binder.go:BindPodVolumes). */
export async function bindVolumes(
  plan: VolumePlan,
  nodeName: string,
  { client, clock, listers, timeoutMs }: VolumeWrites,
  signal: AbortSignal,
): Promise<void> {
  await writePlan(plan, nodeName, client);
  const until = clock.monotonic() + timeoutMs;
  const annotated = new Set<string>();
  const isReady = (claim: PersistentVolumeClaim, provisioned: boolean): boolean => {
    const ready = checkClaim(claim, { provisioned, nodeName, listers });
    if (ready || !provisioned) return ready;
    const { namespace = '', name = '', uid = '' } = claim.metadata;
    const selected = listers.claims.get({ namespace, name })?.metadata.annotations?.[SELECTED_NODE];
    if (selected === nodeName) annotated.add(uid);
    else if (annotated.has(uid))
      throw new Error(`provisioning failed for PVC ${JSON.stringify(name)}`);
    return false;
  };
  for (;;) {
    const bound = plan.bindings.every(({ claim }) => isReady(claim, false));
    const made = plan.provisioned.every((claim) => isReady(claim, true));
    if (bound && made) return;
    if (clock.monotonic() > until) throw new Error('timed out waiting for the condition');
    await clock.sleep(POLL_MS, signal);
  }
}
