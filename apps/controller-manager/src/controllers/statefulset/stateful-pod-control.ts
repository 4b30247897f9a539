import { isDeepStrictEqual } from 'node:util';
import { isAlreadyExists, isNotFound } from '@orrery/apimachinery';
import type { PersistentVolumeClaim, Pod, PodTemplateSpec, StatefulSet } from '@orrery/api';
import { resources } from '@orrery/api';
import type { KubeClient } from '@orrery/client';
import type { EventRecorder } from '@orrery/controller';
import { podFromTemplate, toControllerRef } from '@orrery/controller';
import type { Lister } from '@orrery/informers';
import { claimsOf, ownersOfClaim } from './claim-retention.js';
import { giveIdentity, identityLabels, ordinalOf, podNameOf } from './stateful-identity.js';
import type { NewPod } from './statefulset.decide.js';

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Creates and deletes the pods of a set with their claims, and tells of it as upstream does. */
export class StatefulPodControl {
  constructor(
    private readonly client: KubeClient,
    private readonly claims: Lister<PersistentVolumeClaim>,
    private readonly events: EventRecorder,
  ) {}

  /** The claims first: a pod must not come to run on others. */
  async create(set: StatefulSet, wanted: NewPod, template: PodTemplateSpec): Promise<void> {
    const name = podNameOf(set, wanted.ordinal);
    for (const claim of claimsOf(set, wanted.ordinal)) await this.#ensureClaim(set, claim, name);
    const pod = podFromTemplate({
      template,
      owner: set,
      controllerRef: toControllerRef(resources.statefulsets, set),
      name,
      edit: (draft) => {
        giveIdentity(draft, set, wanted);
      },
    });
    await this.#tell(set, 'create', `Pod ${name} in StatefulSet ${set.metadata.name ?? ''}`, () =>
      this.client.resource(resources.pods).create(pod),
    );
  }

  async delete(set: StatefulSet, pod: Pod): Promise<void> {
    const { namespace = '', name = '', uid } = pod.metadata;
    const what = `Pod ${name} in StatefulSet ${set.metadata.name ?? ''}`;
    if (pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded') {
      const reason =
        pod.status.phase === 'Failed' ? 'RecreatingFailedPod' : 'RecreatingTerminatedPod';
      const text = `StatefulSet ${namespace}/${set.metadata.name ?? ''} is recreating ${pod.status.phase === 'Failed' ? 'failed' : 'terminated'} Pod ${name}`;
      this.events.event(set, pod.status.phase === 'Failed' ? 'Warning' : 'Normal', reason, text);
    }
    await this.#tell(set, 'delete', what, async () => {
      try {
        const query = uid ? { preconditions: { uid } } : {};
        await this.client.resource(resources.pods).delete({ namespace, name }, query);
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    });
  }

  /** Makes the claims of a pod be deleted with whom the retention policy says. */
  async retain(set: StatefulSet, pod: Pod, scaledDown: boolean): Promise<void> {
    const ordinal = ordinalOf(set, pod);
    if (ordinal === undefined) return;
    for (const { metadata } of claimsOf(set, ordinal)) {
      const { namespace = '', name = '' } = metadata ?? {};
      const claim = this.claims.get({ namespace, name });
      if (!claim || claim.metadata.deletionTimestamp) continue;
      const before = claim.metadata.ownerReferences ?? [];
      const ownerReferences = ownersOfClaim(set, scaledDown ? pod : undefined, before);
      if (isDeepStrictEqual(ownerReferences, before)) continue;
      const next = { ...claim, metadata: { ...claim.metadata, ownerReferences } };
      await this.client.resource(resources.persistentvolumeclaims).update(next);
    }
  }

  async relabel(set: StatefulSet, pod: Pod): Promise<void> {
    const { namespace = '', name = '' } = pod.metadata;
    const labels = identityLabels(set, ordinalOf(set, pod) ?? 0);
    await this.client
      .resource(resources.pods)
      .patch({ namespace, name }, 'strategic', { metadata: { labels } });
  }

  async #ensureClaim(set: StatefulSet, claim: PersistentVolumeClaim, pod: string): Promise<void> {
    const { namespace = '', name = '' } = claim.metadata;
    const existing = this.claims.get({ namespace, name });
    if (existing?.metadata.deletionTimestamp)
      throw new Error(`persistentvolumeclaim ${name} is being deleted`);
    // Its pod of before takes it away: the garbage collector only has not come to it.
    if (existing?.metadata.ownerReferences?.some(({ kind }) => kind === 'Pod'))
      throw new Error(`persistentvolumeclaim ${name} belongs to a pod that is gone`);
    if (existing) return;
    const what = `Claim ${name} Pod ${pod} in StatefulSet ${set.metadata.name ?? ''}`;
    await this.#tell(set, 'create', what, async () => {
      try {
        await this.client.resource(resources.persistentvolumeclaims).create(claim);
      } catch (error) {
        if (!isAlreadyExists(error)) throw error;
      }
    });
  }

  async #tell(
    set: StatefulSet,
    verb: 'create' | 'delete',
    what: string,
    act: () => Promise<unknown>,
  ): Promise<void> {
    const suffix = verb === 'create' ? 'Create' : 'Delete';
    try {
      await act();
    } catch (error) {
      const text = `${verb} ${what} failed error: ${textOf(error)}`;
      this.events.event(set, 'Warning', `Failed${suffix}`, text);
      throw error;
    }
    const success = what.startsWith('Claim') ? 'success' : 'successful';
    this.events.event(set, 'Normal', `Successful${suffix}`, `${verb} ${what} ${success}`);
  }
}
