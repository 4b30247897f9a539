import { isConflict, isNotFound, keyOf } from '@orrery/apimachinery';
import type { Pod, ResourceClaim } from '@orrery/api';
import { resources } from '@orrery/api';
import { ALLOCATED_FINALIZER } from '@orrery/controller';
import type { PluginContext } from '../../../framework/plugin.js';
import { bindClaim } from '../bind-claims.js';
import { extendedStatus, toCreate } from './extended-claim.js';
import type { ExtendedState } from './extended-claim.js';

type Writes = Pick<PluginContext, 'client' | 'clock' | 'ledger' | 'claimCreated'>;

/** How long the watch may take to show a claim that was written (k8s AssumeExtendedResourceTimeoutDefaultSeconds). */
const SEEN_MS = 120_000;
const TRIES = 5;

async function create(claim: ResourceClaim, writes: Writes): Promise<ResourceClaim> {
  const { client, claimCreated } = writes;
  try {
    const made = await client.resource(resources.resourceclaims).create(toCreate(claim));
    claimCreated('success');
    return made;
  } catch (error) {
    claimCreated('failure');
    const why = error instanceof Error ? error.message : String(error);
    const { namespace = '', name = '' } = claim.metadata;
    throw new Error(`create claim for extended resources ${namespace}/${name}: ${why}`, {
      cause: error,
    });
  }
}

/** Makes the claim that was decided on, with its devices, and tells them in the pod's status (k8s dynamicresources.go:bindClaim). */
export async function writeExtended(
  state: ExtendedState,
  pod: Pod,
  nodeName: string,
  writes: Writes,
  signal: AbortSignal,
): Promise<void> {
  const decided = state.onNode.get(nodeName);
  if (!decided) return;
  const { claim, mappings, allocation } = decided;
  state.written = await create(claim, writes);
  state.written = await bindClaim(state.written, pod, allocation, writes);
  const { clock, ledger } = writes;
  // Until the watch shows the claim, its devices are taken by what was planned.
  await ledger.whenSeen(keyOf(state.written), { clock, ms: SEEN_MS }, signal);
  ledger.assume(state.written);
  ledger.drop(state.uid);
  const { namespace = '', name = '' } = pod.metadata;
  await writes.client
    .resource(resources.pods)
    .patch({ namespace, name }, 'strategic', extendedStatus(pod, state.written, mappings), {
      subresource: 'status',
    });
}

/** Frees the devices of a claim that the scheduler made, and takes it away (k8s extendeddynamicresources.go:deleteClaim). */
export async function deleteClaim(
  claim: ResourceClaim,
  { client }: Pick<Writes, 'client'>,
): Promise<void> {
  const claims = client.resource(resources.resourceclaims);
  let current = claim;
  for (let left = TRIES - 1; ; left--) {
    try {
      const { finalizers = [], ...metadata } = current.metadata;
      const kept = finalizers.filter((name) => name !== ALLOCATED_FINALIZER);
      if (kept.length < finalizers.length)
        await claims.update({ ...current, metadata: { ...metadata, finalizers: kept } });
      await claims.delete(keyOf(claim));
      return;
    } catch (error) {
      if (isNotFound(error)) return;
      if (!isConflict(error) || left === 0) throw error;
      current = await claims.get(keyOf(claim));
    }
  }
}
