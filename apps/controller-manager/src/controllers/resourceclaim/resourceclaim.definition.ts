import type { ObjectKey } from '@orrery/apimachinery';
import { deepEqual, keyOf } from '@orrery/apimachinery';
import type { Pod, ResourceClaim } from '@orrery/api';
import { resources } from '@orrery/api';
import { defineController } from '@orrery/controller';
import { BY_OWNER, byOwner } from '@orrery/informers';
import type { InformerFactory, SharedInformer } from '@orrery/informers';
import type { ControllerEntry } from '../../controller-entry.js';
import { BY_CLAIM, claimIndexKey, podsByClaim, resourceClaimsOf } from '../../pods/pod-claims.js';
import { PodClaimMaker } from './pod-claim-maker.js';
import { createClaimMeters } from './resourceclaim.metrics.js';
import { ResourceClaimReconciler, claimKey, podKey } from './resourceclaim.reconciler.js';

const NAME = 'resourceclaim-controller';

/** Index of pods by the templates of their claims, `namespace/name`. */
const BY_TEMPLATE = 'resource-claim-template';

const templatesOf = ({ metadata, spec }: Pod): ObjectKey[] =>
  (spec.resourceClaims ?? []).flatMap(({ resourceClaimTemplateName: name }) =>
    name ? [{ namespace: metadata.namespace ?? '', name }] : [],
  );

function indexedPods(informers: InformerFactory): SharedInformer<Pod> {
  const informer = podsByClaim(informers);
  informer.addIndex(BY_TEMPLATE, (pod) => templatesOf(pod).map(claimIndexKey));
  return informer;
}

const toKeys = (pod: Pod): ObjectKey[] =>
  (pod.spec.resourceClaims ?? []).length === 0 && !pod.status?.extendedResourceClaimStatus
    ? []
    : [podKey(keyOf(pod)), ...resourceClaimsOf(pod).map(claimKey)];

/** Whether the pod begins or ends to need its claims, or where they are is told. */
const matters = (pod: Pod, old: Pod): boolean =>
  pod.status?.phase !== old.status?.phase ||
  pod.metadata.deletionTimestamp !== old.metadata.deletionTimestamp ||
  pod.spec.nodeName !== old.spec.nodeName ||
  !deepEqual(pod.status?.resourceClaimStatuses, old.status?.resourceClaimStatuses) ||
  !deepEqual(pod.status?.extendedResourceClaimStatus, old.status?.extendedResourceClaimStatus);

export const resourceClaimController: ControllerEntry = {
  name: NAME,
  definition: ({ informers }) => {
    const { lister } = indexedPods(informers);
    const users = (index: string, key: ObjectKey): ObjectKey[] =>
      lister.byIndex(index, claimIndexKey(key)).map((pod) => podKey(keyOf(pod)));
    return defineController(NAME)
      .concurrency(50)
      .watches(resources.pods, toKeys, { changed: matters })
      .watches(
        resources.resourceclaims,
        (claim: ResourceClaim) => [claimKey(keyOf(claim)), ...users(BY_CLAIM, keyOf(claim))],
        { mayBeAbsent: true },
      )
      .watches(
        resources.resourceclaimtemplates,
        (template) => users(BY_TEMPLATE, keyOf(template)),
        {
          changed: () => false,
          mayBeAbsent: true,
        },
      )
      .build();
  },
  create({ client, informers, events, metrics }) {
    const claims = informers.informer(resources.resourceclaims);
    claims.addIndex(BY_OWNER, byOwner);
    const templates = informers.informer(resources.resourceclaimtemplates).lister;
    const maker = new PodClaimMaker({
      claims: claims.lister,
      templates,
      client: client.resource(resources.resourceclaims),
      count: createClaimMeters(metrics, claims.lister),
    });
    return new ResourceClaimReconciler({
      pods: indexedPods(informers).lister,
      claims: claims.lister,
      client,
      maker,
      events: events('resource_claim'),
    });
  },
};
