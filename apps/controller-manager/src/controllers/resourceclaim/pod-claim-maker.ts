import { keyOf } from '@orrery/apimachinery';
import type { Pod, PodResourceClaim, ResourceClaim, ResourceClaimTemplate } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import { notOwnedBy, placeOfClaim } from '@orrery/controller';
import { BY_OWNER } from '@orrery/informers';
import type { Lister } from '@orrery/informers';
import { CLAIM_OF_POD, generatedClaim, wantsAdminAccess } from './resourceclaim.decide.js';
import type { ClaimCounter } from './resourceclaim.metrics.js';

export interface ClaimMakerParts {
  readonly claims: Lister<ResourceClaim>;
  readonly templates: Lister<ResourceClaimTemplate>;
  readonly client: ResourceClient<ResourceClaim>;
  readonly count: ClaimCounter;
}

/** Makes the claims that entries of pods have templates for. */
export class PodClaimMaker {
  constructor(private readonly parts: ClaimMakerParts) {}

  /** The name of the claim that was made, or found again; undefined when the pod's status needs nothing new. */
  async ensure(pod: Pod, entry: PodResourceClaim): Promise<string | undefined> {
    const place = placeOfClaim(pod, entry);
    if (place.kind === 'unknown' && !place.pending)
      throw new Error(`checking for claim before creating it: ${place.why}`);
    if (place.kind === 'not-needed' || !entry.resourceClaimTemplateName) return undefined;
    if (place.kind === 'named' && this.#isThere(pod, place.name)) return undefined;
    // One may have been made before the pod's status could tell.
    const orphan = this.parts.claims
      .byIndex(BY_OWNER, pod.metadata.uid ?? '')
      .find(({ metadata }) => metadata.annotations?.[CLAIM_OF_POD] === entry.name);
    const { metadata } = orphan ?? (await this.#make(pod, entry, entry.resourceClaimTemplateName));
    return metadata.name;
  }

  #isThere(pod: Pod, name: string): boolean {
    const claim = this.parts.claims.get({ namespace: keyOf(pod).namespace ?? '', name });
    return claim !== undefined && notOwnedBy(pod, claim) === undefined;
  }

  async #make(pod: Pod, entry: PodResourceClaim, name: string): Promise<ResourceClaim> {
    const template = this.parts.templates.get({ namespace: keyOf(pod).namespace ?? '', name });
    const quoted = JSON.stringify(name);
    if (!template)
      throw new Error(
        `resource claim template ${quoted}: resourceclaimtemplate.resource.k8s.io ${quoted} not found`,
      );
    const claim = generatedClaim(pod, entry, template);
    const adminAccess = wantsAdminAccess(claim);
    try {
      const made = await this.parts.client.create(claim);
      this.parts.count('success', adminAccess);
      return made;
    } catch (error) {
      this.parts.count('failure', adminAccess);
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`create ResourceClaim : ${why}`, { cause: error });
    }
  }
}
