import type { ObjectKey } from '@orrery/apimachinery';
import type { Pod } from '@orrery/api';
import { placeOfClaim } from '@orrery/controller';
import type { InformerFactory, SharedInformer } from '@orrery/informers';
import { podInformer } from './pod-indexes.js';

/** Index of pods by their resource claims, `namespace/name`. */
export const BY_CLAIM = 'resource-claim';

/** The resource claims that a pod has or will have, as far as it is known which. */
export const resourceClaimsOf = (pod: Pod): ObjectKey[] => {
  const { namespace = '' } = pod.metadata;
  const named = (pod.spec.resourceClaims ?? []).flatMap((entry) => {
    const place = placeOfClaim(pod, entry);
    return place.kind === 'named' ? [place.name] : [];
  });
  const extended = pod.status?.extendedResourceClaimStatus?.resourceClaimName;
  return [...named, ...(extended ? [extended] : [])].map((name) => ({ namespace, name }));
};

export const claimIndexKey = ({ namespace = '', name }: ObjectKey): string =>
  `${namespace}/${name}`;

/** The pods' informer, with the index of their claims too. */
export function podsByClaim(informers: InformerFactory): SharedInformer<Pod> {
  const informer = podInformer(informers);
  informer.addIndex(BY_CLAIM, (pod) => resourceClaimsOf(pod).map(claimIndexKey));
  return informer;
}
