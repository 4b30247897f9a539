import type { AllocationResult, ResourceClaim } from '@orrery/api';
import { StateKey } from '../../framework/cycle-state.js';
import type { Allocator } from './allocation/allocator.js';
import type { ExtendedState } from './extended/extended-claim.js';

/** What is known of a pod's claims while the pod is scheduled. */
export interface ClaimState {
  /** In the order of the pod's entries; replaced by what was written. */
  readonly claims: ResourceClaim[];
  /** Absent when all claims have their devices already. */
  readonly allocator: Allocator | undefined;
  /** By node: for each claim without devices, in order, what it would get there. */
  readonly found: Map<string, readonly AllocationResult[]>;
  /** Indices of claims whose devices are out of reach of some node. */
  readonly unavailable: Set<number>;
  /** The claim that stands for the pod's extended resources. */
  readonly extended: ExtendedState | undefined;
  /** By index of the claim: what was decided. */
  readonly chosen: Map<number, AllocationResult>;
}

export const claimState = new StateKey<ClaimState>('DynamicResources');

/** Indices of the claims that have no devices yet. */
export const unallocated = ({ claims }: ClaimState): number[] =>
  [...claims.keys()].filter((i) => !claims[i]?.status?.allocation);

/** An alternative is the better the earlier it stands (k8s FirstAvailableDeviceRequestMaxSize). */
const MAX_ALTERNATIVES = 8;

/** How well the alternatives are that the claims would get on a node (k8s dynamicresources.go:computeScore). */
export function scoreOf(state: ClaimState, nodeName: string): number {
  const results = state.found.get(nodeName) ?? [];
  let score = 0;
  for (const [k, i] of unallocated(state).entries()) {
    const granted = new Set(results[k]?.devices?.results?.map(({ request }) => request));
    for (const { name, firstAvailable = [] } of state.claims[i]?.spec.devices?.requests ?? []) {
      const chosen = firstAvailable.findIndex((each) => granted.has(`${name}/${each.name}`));
      if (chosen >= 0) score += MAX_ALTERNATIVES - chosen;
    }
  }
  return score;
}
