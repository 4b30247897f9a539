import type { ObjectKey } from '@orrery/apimachinery';
import type { Pod, ResourceClaim } from '@orrery/api';
import { isReservedFor, notOwnedBy, placeOfClaim } from '@orrery/controller';

/** Reads a claim from the API server; rejects when there is none. */
export type FetchClaim = (key: ObjectKey) => Promise<ResourceClaim>;

async function fetchClaim(pod: Pod, name: string, fetch: FetchClaim): Promise<ResourceClaim> {
  try {
    return await fetch({ namespace: pod.metadata.namespace ?? '', name });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`fetch ResourceClaim ${name}: ${why}`, { cause: error });
  }
}

/** Why the pod may not use a claim, or may not yet; undefined when nothing is missing. */
function problemOf(pod: Pod, claim: ResourceClaim, generated: boolean): string | undefined {
  const stranger = generated ? notOwnedBy(pod, claim) : undefined;
  if (stranger !== undefined) return stranger;
  if (!isReservedFor(pod, claim)) {
    const [{ name = '', uid = '' }, own] = [pod.metadata, claim.metadata];
    return `pod ${name} (${uid}) is not allowed to use ResourceClaim ${own.name ?? ''} (${own.uid ?? ''})`;
  }
  const [device] = claim.status?.allocation?.devices?.results ?? [];
  return device && `DRA driver ${device.driver} is not registered`;
}

/**
 * Makes the devices of a pod's claims ready for it. Nobody registers drivers here, so a pod with devices rejects with
 * upstream's words and waits; one whose claims have none may start (k8s pkg/kubelet/cm/dra/manager.go:prepareResources).
 */
export async function prepareDevices(pod: Pod, fetch: FetchClaim): Promise<void> {
  for (const entry of pod.spec.resourceClaims ?? []) {
    const place = placeOfClaim(pod, entry);
    if (place.kind === 'unknown') throw new Error(place.why);
    if (place.kind === 'not-needed') continue;
    const claim = await fetchClaim(pod, place.name, fetch);
    const problem = problemOf(pod, claim, place.generated);
    if (problem !== undefined) throw new Error(problem);
  }
  // The scheduler's, for extended resources that are devices of a class.
  const extended = pod.status?.extendedResourceClaimStatus?.resourceClaimName;
  if (!extended) return;
  const problem = problemOf(pod, await fetchClaim(pod, extended, fetch), true);
  if (problem !== undefined) throw new Error(problem);
}
