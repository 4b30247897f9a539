import type { DeviceRequestAllocationResult, ResourceClaim } from '@orrery/api';

const resultsOf = ({ status }: ResourceClaim): readonly DeviceRequestAllocationResult[] =>
  status?.allocation?.devices?.results ?? [];

const waits = ({ bindingConditions = [] }: DeviceRequestAllocationResult): boolean =>
  bindingConditions.length > 0;

/** Whether devices of the claim have to be attached before a pod is bound. */
export const hasBindingConditions = (claim: ResourceClaim): boolean => resultsOf(claim).some(waits);

/** Whose devices they are. */
export const driversToWaitFor = (claims: readonly ResourceClaim[]): ReadonlySet<string> =>
  new Set(
    claims
      .flatMap(resultsOf)
      .filter(waits)
      .map(({ driver }) => driver),
  );

export type Readiness =
  | { readonly kind: 'ready' }
  | { readonly kind: 'waiting' }
  | { readonly kind: 'failed'; readonly why: string };

/** What the driver says of the claim's devices (k8s dynamicresources.go:isClaimReadyForBinding). */
export function readinessOf(claim: ResourceClaim): Readiness {
  for (const result of resultsOf(claim).filter(waits)) {
    const { driver, pool, device, bindingFailureConditions = [] } = result;
    const conditions = claim.status?.devices?.find(
      (each) => each.driver === driver && each.pool === pool && each.device === device,
    )?.conditions;
    const holds = (type: string) =>
      conditions?.find((each) => each.type === type && each.status === 'True');
    const failure = bindingFailureConditions.map(holds).find(Boolean);
    if (failure) {
      const { reason, message } = failure;
      const why = `claim ${claim.metadata.name ?? ''} binding failed: reason=${reason}, message=${JSON.stringify(message)}`;
      return { kind: 'failed', why };
    }
    if (!result.bindingConditions?.every(holds)) return { kind: 'waiting' };
  }
  return { kind: 'ready' };
}

/** The devices were allocated so long ago that they will not be attached any more. */
export function isOverdue(claim: ResourceClaim, nowMs: number, limitMs: number): boolean {
  const since = claim.status?.allocation?.allocationTimestamp;
  return hasBindingConditions(claim) && since !== undefined && Date.parse(since) + limitMs < nowMs;
}
