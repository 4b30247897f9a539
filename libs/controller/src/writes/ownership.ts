import type { KubeObject, OwnerReference } from '@orrery/apimachinery';
import { controllerOf, isInvalid, isNotFound, toApiVersion } from '@orrery/apimachinery';
import type { ResourceRef } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import type { LabelMatcher } from '@orrery/informers';

/** The reference by which `owner` controls what it creates. */
export function toControllerRef(ref: ResourceRef, owner: KubeObject): OwnerReference {
  return {
    apiVersion: toApiVersion(ref.group, ref.version),
    kind: ref.kind,
    name: owner.metadata.name ?? '',
    uid: owner.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** How an owner stands to candidates of its namespace (k8s pkg/controller/controller_ref_manager.go: ClaimObject). */
export interface Claim<T> {
  readonly owned: readonly T[];
  readonly adopt: readonly T[];
  readonly release: readonly T[];
}

/** Pure: who is owned, who is an orphan that matches, who no longer matches. */
export function decideClaim<T extends KubeObject>(
  owner: KubeObject,
  matches: LabelMatcher,
  candidates: readonly T[],
): Claim<T> {
  const claim: { owned: T[]; adopt: T[]; release: T[] } = { owned: [], adopt: [], release: [] };
  const ownerGone = owner.metadata.deletionTimestamp !== undefined;
  for (const candidate of candidates) {
    const controller = controllerOf(candidate);
    if (controller && controller.uid !== owner.metadata.uid) continue;
    const fits = matches(candidate.metadata.labels ?? {});
    if (controller) {
      if (fits) claim.owned.push(candidate);
      else if (!ownerGone) claim.release.push(candidate);
    } else if (fits && !ownerGone && !candidate.metadata.deletionTimestamp)
      claim.adopt.push(candidate);
  }
  return claim;
}

/** Carries a claim out and gives what the owner then has. */
export class Claimer<T extends KubeObject> {
  constructor(
    private readonly client: ResourceClient<T>,
    private readonly ownerRef: ResourceRef,
    private readonly ownerClient: ResourceClient<KubeObject>,
  ) {}

  async claim(owner: KubeObject, matches: LabelMatcher, candidates: readonly T[]): Promise<T[]> {
    const { owned, adopt, release } = decideClaim(owner, matches, candidates);
    const result = [...owned];
    if (adopt.length > 0 && (await this.#mayAdopt(owner)))
      for (const orphan of adopt) {
        const adopted = await this.#adopt(owner, orphan);
        if (adopted) result.push(adopted);
      }
    for (const stranger of release) await this.#release(owner, stranger);
    return result;
  }

  /** Asks the server, since a stale cache must not adopt for an owner that is gone or was replaced. */
  async #mayAdopt(owner: KubeObject): Promise<boolean> {
    const { namespace, name = '', uid } = owner.metadata;
    const fresh = await this.ownerClient.get(namespace ? { namespace, name } : { name });
    return fresh.metadata.uid === uid && !fresh.metadata.deletionTimestamp;
  }

  async #adopt(owner: KubeObject, orphan: T): Promise<T | undefined> {
    const patch = {
      metadata: {
        uid: orphan.metadata.uid,
        ownerReferences: [toControllerRef(this.ownerRef, owner)],
      },
    };
    return this.#patch(orphan, patch);
  }

  async #release(owner: KubeObject, stranger: T): Promise<void> {
    const patch = {
      metadata: {
        uid: stranger.metadata.uid,
        ownerReferences: [{ $patch: 'delete', uid: owner.metadata.uid }],
      },
    };
    await this.#patch(stranger, patch);
  }

  async #patch(object: T, patch: unknown): Promise<T | undefined> {
    const { namespace = '', name = '' } = object.metadata;
    try {
      return await this.client.patch({ namespace, name }, 'strategic', patch);
    } catch (error) {
      // Gone, or another object of that name, or owned by somebody else meanwhile: not ours.
      if (isNotFound(error) || isInvalid(error)) return undefined;
      throw error;
    }
  }
}
