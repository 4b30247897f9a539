import type { DeviceClass, Pod, ResourceClaim } from '@orrery/api';
import { notOwnedBy, placeOfClaim } from '@orrery/controller';
import type { Status } from '../../framework/status.js';
import { failed, unresolvable } from '../../framework/status.js';
import type { ClaimLedger } from '../../cache/claim-ledger.js';
import { claimName } from './allocation/requests.js';

/** The claims of a pod, or why it has to wait for them (k8s dynamicresources.go:foreachPodResourceClaim). */
export function claimsOf(pod: Pod, ledger: ClaimLedger): ResourceClaim[] | string {
  const claims: ResourceClaim[] = [];
  for (const entry of pod.spec.resourceClaims ?? []) {
    const place = placeOfClaim(pod, entry);
    if (place.kind === 'unknown') return place.why;
    if (place.kind === 'not-needed') continue;
    const { namespace = '' } = pod.metadata;
    const claim = ledger.get({ namespace, name: place.name });
    if (!claim)
      return `could not find ResourceClaim ${JSON.stringify(`${namespace}/${place.name}`)}`;
    if (claim.metadata.deletionTimestamp)
      return `resourceclaim ${JSON.stringify(place.name)} is being deleted`;
    const problem = place.generated ? notOwnedBy(pod, claim) : undefined;
    if (problem) return problem;
    claims.push(claim);
  }
  return claims;
}

type Classes = (name: string) => DeviceClass | undefined;

function refuseClass(request: string, name: string, classes: Classes): Status | undefined {
  if (name === '') return failed(new Error(`request ${request}: unsupported request type`));
  return classes(name)
    ? undefined
    : unresolvable(`request ${request}: device class ${name} does not exist`);
}

/** Why a claim cannot be allocated on any node as things are; undefined when it may. */
export function refuseClaim(
  claim: ResourceClaim,
  ledger: ClaimLedger,
  classes: Classes,
): Status | undefined {
  if (claim.status?.allocation) return undefined;
  if (ledger.isPending(claim.metadata.uid ?? ''))
    return unresolvable(`resource claim ${claimName(claim)} is in the process of being allocated`);
  for (const { name, exactly, firstAvailable = [] } of claim.spec.devices?.requests ?? []) {
    if (!exactly && firstAvailable.length === 0)
      return unresolvable(
        `resource claim ${claimName(claim)}, request ${name}: unknown request type`,
      );
    const wanted = exactly
      ? [[name, exactly.deviceClassName] as const]
      : firstAvailable.map((each) => [`${name}/${each.name}`, each.deviceClassName] as const);
    for (const [request, className] of wanted) {
      const refused = refuseClass(request, className, classes);
      if (refused) return refused;
    }
  }
  return undefined;
}
