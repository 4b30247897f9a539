import type { ObjectKey } from '@orrery/apimachinery';
import { controllerOf, isAlreadyExists } from '@orrery/apimachinery';
import type { PersistentVolumeClaim, Pod, Volume } from '@orrery/api';
import { resources } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import { defineController, done, toControllerRef } from '@orrery/controller';
import type { EventRecorder, Reconciler, Result } from '@orrery/controller';
import type { Lister } from '@orrery/informers';
import type { ControllerEntry } from '../../controller-entry.js';
import { podInformer } from '../../pods/pod-indexes.js';
import { isTerminated } from '../../pods/pod-state.js';
import { createEphemeralMeters } from './ephemeral-volume.metrics.js';
import type { ClaimRequest } from './ephemeral-volume.metrics.js';

const NAME = 'ephemeral-volume-controller';

const claimName = (pod: Pod, { name }: Volume): string => `${pod.metadata.name ?? ''}-${name}`;

/** Pure: the claim behind an ephemeral volume of a pod (k8s pkg/controller/volume/ephemeral: handleVolume). */
export function newClaim(pod: Pod, volume: Volume): PersistentVolumeClaim | undefined {
  const template = volume.ephemeral?.volumeClaimTemplate;
  if (!template) return undefined;
  const { labels, annotations } = template.metadata ?? {};
  return {
    metadata: {
      name: claimName(pod, volume),
      namespace: pod.metadata.namespace ?? '',
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations } : {}),
      ownerReferences: [toControllerRef(resources.pods, pod)],
    },
    spec: template.spec,
  };
}

/** Makes the claims of pods' ephemeral volumes; they go with the pod. */
export class EphemeralVolumeReconciler implements Reconciler {
  constructor(
    private readonly pods: Lister<Pod>,
    private readonly claims: Lister<PersistentVolumeClaim>,
    private readonly client: ResourceClient<PersistentVolumeClaim>,
    private readonly events: EventRecorder,
    private readonly requested: ClaimRequest,
  ) {}

  async reconcile(key: ObjectKey): Promise<Result> {
    const pod = this.pods.get(key);
    if (!pod || pod.metadata.deletionTimestamp || isTerminated(pod)) return done;
    for (const volume of pod.spec?.volumes ?? []) await this.#ensureOrTell(pod, volume);
    return done;
  }

  async #ensureOrTell(pod: Pod, volume: Volume): Promise<void> {
    try {
      await this.#ensure(pod, volume);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const text = `ephemeral volume ${volume.name}: ${why}`;
      this.events.event(pod, 'Warning', 'FailedBinding', text);
      throw error;
    }
  }

  async #ensure(pod: Pod, volume: Volume): Promise<void> {
    const claim = newClaim(pod, volume);
    if (!claim) return;
    const { namespace = '', name = '' } = claim.metadata;
    const found = this.claims.get({ namespace, name });
    if (found) {
      if (controllerOf(found)?.uid === pod.metadata.uid) return;
      const text = `PVC ${namespace}/${name} was not created for pod ${namespace}/${pod.metadata.name ?? ''} (pod is not owner)`;
      throw new Error(text);
    }
    try {
      await this.requested(() => this.client.create(claim));
    } catch (error) {
      if (isAlreadyExists(error)) return;
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`create PVC ${name}: ${why}`, { cause: error });
    }
  }
}

const hasEphemeral = ({ spec }: Pod): boolean =>
  (spec?.volumes ?? []).some(({ ephemeral }) => ephemeral);

export const ephemeralVolumeController: ControllerEntry = {
  name: NAME,
  definition: () =>
    defineController(NAME)
      .concurrency(5)
      .watches(resources.pods, (pod) => {
        const { namespace = '', name = '' } = pod.metadata;
        return hasEphemeral(pod) ? [{ namespace, name }] : [];
      })
      .owns(resources.persistentvolumeclaims, resources.pods, { changed: () => false })
      .build(),
  create: ({ client, informers, events, metrics }) =>
    new EphemeralVolumeReconciler(
      podInformer(informers).lister,
      informers.informer(resources.persistentvolumeclaims).lister,
      client.resource(resources.persistentvolumeclaims),
      events('ephemeral_volume'),
      createEphemeralMeters(metrics),
    ),
};
