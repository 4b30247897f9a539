import { isDeepStrictEqual } from 'node:util';
import type { Pod, ResourceClaim } from '@orrery/api';
import type { ClaimLedger } from '../../cache/claim-ledger.js';
import type { ClusterEvent, EventHint } from '../../framework/cluster-event.js';
import { newOf, oldOf } from '../../framework/cluster-event.js';
import { claimsOf } from './pod-claims.js';

const isAllocated = (claim: ResourceClaim | undefined): boolean =>
  claim?.status?.allocation !== undefined;

/** Devices became free, or something changed about a claim that the pod waits for (k8s isSchedulableAfterClaimChange). */
function helps(pod: Pod, event: ClusterEvent, ledger: ClaimLedger): boolean {
  const claims = claimsOf(pod, ledger);
  if (typeof claims === 'string') return false;
  const [before, now] = [oldOf<ResourceClaim>(event), newOf<ResourceClaim | undefined>(event)];
  if (isAllocated(before) && !isAllocated(now)) return true;
  if (!claims.some(({ metadata }) => metadata.uid === now?.metadata.uid)) return false;
  return !before || !isDeepStrictEqual(before.status, now?.status);
}

/** After which events a pod that DynamicResources refused is tried again. */
export const claimHints = (ledger: ClaimLedger): readonly EventHint[] => [
  { on: ['ResourceClaim'], helps: (pod, event) => helps(pod, event, ledger) },
  { on: ['NodeAdd', 'NodeLabel', 'NodeAllocatable', 'DeviceClass', 'ResourceSlice'] },
];
