import { isConflict, keyOf } from '@orrery/apimachinery';
import type { AllocationResult, Pod, ResourceClaim } from '@orrery/api';
import { resources } from '@orrery/api';
import type { KubeClient } from '@orrery/client';
import type { Clock } from '@orrery/component';
import { toTime } from '@orrery/component';
import { ALLOCATED_FINALIZER } from '@orrery/controller';
import type { ClaimLedger } from '../../cache/claim-ledger.js';
import { claimName } from './allocation/requests.js';

export interface ClaimWrites {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly ledger: ClaimLedger;
}

const TRIES = 5;

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function withFinalizer(claim: ResourceClaim, client: KubeClient): Promise<ResourceClaim> {
  const { finalizers = [] } = claim.metadata;
  if (finalizers.includes(ALLOCATED_FINALIZER)) return claim;
  const metadata = { ...claim.metadata, finalizers: [...finalizers, ALLOCATED_FINALIZER] };
  try {
    return await client.resource(resources.resourceclaims).update({ ...claim, metadata });
  } catch (error) {
    if (isConflict(error)) throw error;
    const text = `add finalizer to claim ${claimName(claim)}: ${reason(error)}`;
    throw new Error(text, { cause: error });
  }
}

/** The status of a claim that the pod uses, with the devices that it was given now, if any. */
function reservedStatus(
  { status }: ResourceClaim,
  { metadata }: Pod,
  given: AllocationResult | undefined,
  clock: Clock,
): ResourceClaim['status'] {
  const allocation = given ?? status?.allocation;
  const allocationTimestamp = allocation?.allocationTimestamp ?? toTime(clock.now());
  const consumer = { resource: 'pods', name: metadata.name ?? '', uid: metadata.uid ?? '' };
  return {
    ...status,
    ...(allocation ? { allocation: { ...allocation, allocationTimestamp } } : {}),
    reservedFor: [...(status?.reservedFor ?? []), consumer],
  };
}

/** One try; rejects with a conflict when the claim was changed meanwhile. */
async function writeOnce(
  claim: ResourceClaim,
  pod: Pod,
  allocation: AllocationResult | undefined,
  { client, clock }: ClaimWrites,
): Promise<ResourceClaim> {
  const shown = claimName(claim);
  if (claim.metadata.deletionTimestamp)
    throw new Error(`claim ${shown} got deleted in the meantime`);
  if (allocation && claim.status?.allocation)
    throw new Error(`claim ${shown} got allocated elsewhere in the meantime`);
  const held = allocation ? await withFinalizer(claim, client) : claim;
  const status = reservedStatus(held, pod, allocation, clock);
  try {
    return await client
      .resource(resources.resourceclaims)
      .updateStatus({ ...held, ...(status ? { status } : {}) });
  } catch (error) {
    if (isConflict(error)) throw error;
    const what = allocation ? 'allocation and reservation' : 'reservation';
    throw new Error(`add ${what} to claim ${shown}: ${reason(error)}`, { cause: error });
  }
}

/**
 * Writes what was decided for a claim, if anything, and that the pod uses it (k8s dynamicresources.go:bindClaim).
 * Whatever comes of it, the claim is pending no more.
 */
export async function bindClaim(
  claim: ResourceClaim,
  pod: Pod,
  allocation: AllocationResult | undefined,
  writes: ClaimWrites,
): Promise<ResourceClaim> {
  let current = claim;
  try {
    for (let left = TRIES - 1; ; left--) {
      try {
        const written = await writeOnce(current, pod, allocation, writes);
        writes.ledger.assume(written);
        return written;
      } catch (error) {
        if (!isConflict(error) || left === 0) throw error;
        current = await writes.client.resource(resources.resourceclaims).get(keyOf(claim));
      }
    }
  } finally {
    writes.ledger.settle(claim);
  }
}

/** The pod will not use the claim after all; whoever else does still has it. */
export async function unreserve(
  claim: ResourceClaim,
  pod: Pod,
  { client, ledger }: Pick<ClaimWrites, 'client' | 'ledger'>,
): Promise<void> {
  const entry = { $patch: 'delete', uid: pod.metadata.uid };
  const body = { metadata: { uid: claim.metadata.uid }, status: { reservedFor: [entry] } };
  const patched = await client
    .resource(resources.resourceclaims)
    .patch(keyOf(claim), 'strategic', body, { subresource: 'status' });
  ledger.assume(patched);
}

/** Frees the devices of a claim that nobody uses. */
export async function deallocate(
  claim: ResourceClaim,
  { client, ledger }: Pick<ClaimWrites, 'client' | 'ledger'>,
): Promise<void> {
  const { allocation: _, reservedFor: __, devices: ___, ...status } = claim.status ?? {};
  const freed = await client.resource(resources.resourceclaims).updateStatus({ ...claim, status });
  ledger.assume(freed);
}
