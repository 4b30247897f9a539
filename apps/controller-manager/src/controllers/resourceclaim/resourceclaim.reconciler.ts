import type { ObjectKey } from '@orrery/apimachinery';
import { controllerOf, isNotFound, keyOf } from '@orrery/apimachinery';
import type { Pod, ResourceClaim, ResourceClaimConsumerReference } from '@orrery/api';
import { resources } from '@orrery/api';
import type { KubeClient, ResourceClient } from '@orrery/client';
import { done, isReservedFor, notOwnedBy, placeOfClaim } from '@orrery/controller';
import type { EventRecorder, Reconciler, Result } from '@orrery/controller';
import type { Lister } from '@orrery/informers';
import type { PodClaimMaker } from './pod-claim-maker.js';
import { decideFate, isDone, released } from './resourceclaim.decide.js';

/** One queue has pods and claims, so each key says what it is, as upstream's. */
const POD = 'pod:';
const CLAIM = 'claim:';

export const podKey = ({ namespace = '', name }: ObjectKey): ObjectKey => ({
  namespace,
  name: `${POD}${name}`,
});

export const claimKey = ({ namespace = '', name }: ObjectKey): ObjectKey => ({
  namespace,
  name: `${CLAIM}${name}`,
});

export interface ResourceClaimParts {
  readonly pods: Lister<Pod>;
  readonly claims: Lister<ResourceClaim>;
  readonly client: KubeClient;
  readonly maker: PodClaimMaker;
  readonly events: EventRecorder;
}

/** Field manager of pods' status, as upstream's. */
const MANAGER = 'ResourceClaimController';

/** Makes claims of templates for pods, and lets claims go that pods are done with. */
export class ResourceClaimReconciler implements Reconciler {
  readonly #claims: ResourceClient<ResourceClaim>;

  constructor(private readonly parts: ResourceClaimParts) {
    this.#claims = parts.client.resource(resources.resourceclaims);
  }

  async reconcile({ namespace = '', name }: ObjectKey): Promise<Result> {
    if (name.startsWith(POD)) await this.#pod({ namespace, name: name.slice(POD.length) });
    else await this.#claim({ namespace, name: name.slice(CLAIM.length) });
    return done;
  }

  async #pod(key: ObjectKey): Promise<void> {
    const pod = this.parts.pods.get(key);
    if (!pod || pod.metadata.deletionTimestamp || isDone(pod)) return;
    const made = new Map<string, string>();
    for (const entry of pod.spec.resourceClaims ?? []) {
      try {
        const name = await this.parts.maker.ensure(pod, entry);
        if (name !== undefined) made.set(entry.name, name);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        const text = `PodResourceClaim ${entry.name}: ${why}`;
        this.parts.events.event(pod, 'Warning', 'FailedResourceClaimCreation', text);
        throw error;
      }
    }
    if (made.size > 0) await this.#tell(pod, made);
    if (pod.spec.nodeName) await this.#reserve(pod);
  }

  /** Every generated claim of the pod, as the manager of the list has to name all. */
  async #tell(pod: Pod, made: ReadonlyMap<string, string>): Promise<void> {
    const known = pod.status?.resourceClaimStatuses?.filter(({ name }) => !made.has(name)) ?? [];
    const told = [...made].map(([name, resourceClaimName]) => ({ name, resourceClaimName }));
    const { uid } = pod.metadata;
    const body = {
      apiVersion: 'v1',
      kind: resources.pods.kind,
      metadata: { ...keyOf(pod), uid },
      status: { resourceClaimStatuses: [...known, ...told] },
    };
    try {
      await this.parts.client.resource(resources.pods).patch(keyOf(pod), 'apply', body, {
        subresource: 'status',
        fieldManager: MANAGER,
        force: true,
      });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const { namespace = '', name } = keyOf(pod);
      throw new Error(`update pod ${namespace}/${name} ResourceClaimStatuses: ${why}`, {
        cause: error,
      });
    }
  }

  /** For pods that got their node from somebody who knows nothing of claims. */
  async #reserve(pod: Pod): Promise<void> {
    for (const entry of pod.spec.resourceClaims ?? []) {
      const place = placeOfClaim(pod, entry);
      if (place.kind !== 'named') continue;
      const claim = this.parts.claims.get({ ...keyOf(pod), name: place.name });
      if (!claim?.status?.allocation || isReservedFor(pod, claim)) continue;
      const problem = place.generated ? notOwnedBy(pod, claim) : undefined;
      if (problem !== undefined) throw new Error(problem);
      const { name = '', uid = '' } = pod.metadata;
      const reservedFor = [...(claim.status.reservedFor ?? []), { resource: 'pods', name, uid }];
      await this.#claims.updateStatus({ ...claim, status: { ...claim.status, reservedFor } });
    }
  }

  async #claim(key: ObjectKey): Promise<void> {
    let claim = this.parts.claims.get(key);
    if (!claim) return;
    const valid: ResourceClaimConsumerReference[] = [];
    for (const consumer of claim.status?.reservedFor ?? [])
      if (await this.#uses(key, consumer)) valid.push(consumer);
    const { status, release, idle } = decideFate(claim, valid);
    if (status) claim = await this.#claims.updateStatus({ ...claim, status });
    if (release) claim = await this.#claims.update(released(claim));
    if (idle) await this.#deleteUnneeded(claim);
  }

  /** A pod that the cache does not know is asked for: it may be too new. */
  async #uses(
    { namespace = '' }: ObjectKey,
    { apiGroup = '', resource, name, uid }: ResourceClaimConsumerReference,
  ): Promise<boolean> {
    if (apiGroup !== '' || resource !== 'pods')
      throw new Error(`unsupported ReservedFor entry: ${apiGroup} ${resource} ${name}`);
    const cached = this.parts.pods.get({ namespace, name });
    if (cached) return cached.metadata.uid === uid && !isDone(cached);
    try {
      const pod = await this.parts.client.resource(resources.pods).get({ namespace, name });
      return pod.metadata.uid === uid;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  /** A generated claim whose pod will not run goes at once; with the pod the garbage collector would take it. */
  async #deleteUnneeded(claim: ResourceClaim): Promise<void> {
    const owner = controllerOf(claim);
    if (owner?.kind !== resources.pods.kind || owner.apiVersion !== 'v1') return;
    const { namespace = '', name } = keyOf(claim);
    const pod = this.parts.pods.get({ namespace, name: owner.name });
    if (!pod || (pod.metadata.uid === owner.uid && !isDone(pod))) return;
    const { uid, deletionTimestamp } = claim.metadata;
    if (deletionTimestamp) return;
    try {
      const preconditions = uid === undefined ? {} : { uid };
      await this.#claims.delete({ namespace, name }, { preconditions });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
