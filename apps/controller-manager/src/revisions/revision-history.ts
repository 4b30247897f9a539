import type { KubeObject } from '@orrery/apimachinery';
import type { ControllerRevision, PodTemplateSpec, ResourceRef } from '@orrery/api';
import { resources } from '@orrery/api';
import type { KubeClient, ResourceClient } from '@orrery/client';
import { Claimer, toControllerRef } from '@orrery/controller';
import { BY_OWNER, byOwner } from '@orrery/informers';
import type { InformerFactory, LabelMatcher, Lister } from '@orrery/informers';
import { ORPHANS, orphans } from '../pods/pod-indexes.js';
import { ensureRevision, forgetRevisions } from './controller-revisions.js';
import type { Ensured } from './controller-revisions.js';

export interface RevisionOwner extends KubeObject {
  readonly spec?: { readonly template: PodTemplateSpec };
  readonly status?: { readonly collisionCount?: number };
}

/** The revisions of owners of one kind: those that it has, may adopt, makes and forgets. */
export class RevisionHistory {
  readonly #lister: Lister<ControllerRevision>;
  readonly #client: ResourceClient<ControllerRevision>;
  readonly #claimer: Claimer<ControllerRevision>;

  constructor(
    client: KubeClient,
    informers: InformerFactory,
    private readonly ownerRef: ResourceRef,
    /** Label of a revision that tells the hash of its template. */
    private readonly hashLabel: string,
  ) {
    const informer = informers.informer(resources.controllerrevisions);
    informer.addIndex(BY_OWNER, byOwner);
    informer.addIndex(ORPHANS, orphans);
    this.#lister = informer.lister;
    this.#client = client.resource(resources.controllerrevisions);
    this.#claimer = new Claimer(this.#client, ownerRef, client.resource<KubeObject>(ownerRef));
  }

  /** Those that `owner` has; orphans that match become its own. */
  claim(owner: KubeObject, matches: LabelMatcher): Promise<ControllerRevision[]> {
    const { uid = '', namespace = '' } = owner.metadata;
    const own = this.#lister.byIndex(BY_OWNER, uid);
    return this.#claimer.claim(owner, matches, [
      ...own,
      ...this.#lister.byIndex(ORPHANS, namespace),
    ]);
  }

  ensure(owner: RevisionOwner, existing: readonly ControllerRevision[]): Promise<Ensured> {
    return ensureRevision(this.#client, {
      owner,
      ownerReference: toControllerRef(this.ownerRef, owner),
      template: owner.spec?.template ?? { spec: { containers: [] } },
      existing,
      hashLabel: this.hashLabel,
      collisions: owner.status?.collisionCount ?? 0,
    });
  }

  hashOf({ metadata }: ControllerRevision): string {
    return metadata.labels?.[this.hashLabel] ?? '';
  }

  /** `revision` with a hash: one that was written without has its name for it (k8s pkg/controller/daemon/update.go:constructHistory). */
  async withHash(revision: ControllerRevision): Promise<ControllerRevision> {
    if (this.hashOf(revision) !== '') return revision;
    const { metadata } = revision;
    const labels = { ...metadata.labels, [this.hashLabel]: metadata.name ?? '' };
    return this.#client.update({ ...revision, metadata: { ...metadata, labels } });
  }

  forget(unused: readonly ControllerRevision[], limit: number): Promise<void> {
    return forgetRevisions(this.#client, unused, limit);
  }
}
