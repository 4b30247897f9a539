import type { ObjectKey } from '@orrery/apimachinery';
import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import { done } from '@orrery/controller';
import type { EventRecorder, Reconciler, Result } from '@orrery/controller';
import type { Lister } from '@orrery/informers';
import { claimsOfPod } from '../pvc-protection/claims-of-pod.js';
import { BETA_STORAGE_PROVISIONER, STORAGE_PROVISIONER } from './annotations.js';
import type { Binding } from './binding.js';
import { decideClaim } from './claim.decide.js';
import type { ClaimDecision, Told } from './claim.decide.js';
import type { VolumeMeters } from './persistent-volume.metrics.js';
import type { Recycler } from './recycler.js';
import { decideVolume, unbound } from './volume.decide.js';
import type { VolumeDecision } from './volume.decide.js';

/** Upstream looks at every claim and volume this often. */
const RESYNC_MS = 15_000;

export interface VolumeCaches {
  readonly claims: Lister<PersistentVolumeClaim>;
  readonly volumes: Lister<PersistentVolume>;
  readonly classes: Lister<StorageClass>;
  readonly pods: Lister<Pod>;
}

export interface VolumeClients {
  readonly claims: ResourceClient<PersistentVolumeClaim>;
  readonly volumes: ResourceClient<PersistentVolume>;
  readonly binding: Binding;
  readonly recycler: Recycler;
}

/** Binds claims to volumes and says what became of both. A key with a namespace is a claim's, one without a volume's. */
export class PersistentVolumeReconciler implements Reconciler {
  constructor(
    private readonly caches: VolumeCaches,
    private readonly clients: VolumeClients,
    private readonly events: EventRecorder,
    private readonly provisioning: boolean,
    private readonly meters: VolumeMeters,
  ) {}

  async reconcile(key: ObjectKey): Promise<Result> {
    if (key.namespace) return this.#claim(key);
    return this.#volume(key);
  }

  async #claim(key: ObjectKey): Promise<Result> {
    const claim = this.caches.claims.get(key);
    if (!claim) return done;
    const decision = decideClaim({
      claim,
      volumes: this.caches.volumes.list(),
      classes: this.caches.classes.list(),
      users: this.#usersOf(claim),
      provisioning: this.provisioning,
    });
    return this.#actOnClaim(claim, decision);
  }

  async #actOnClaim(claim: PersistentVolumeClaim, decision: ClaimDecision): Promise<Result> {
    const { binding } = this.clients;
    switch (decision.act) {
      case 'bind':
        await binding.bind(decision.volume, claim);
        return done;
      case 'set-class':
        await this.meters.giveClass(() =>
          this.clients.claims.update({
            ...claim,
            spec: { ...claim.spec, storageClassName: decision.name },
          }),
        );
        return done;
      case 'lose':
        if (await binding.setClaimPhase(claim, 'Lost')) this.#tell(claim, decision.event);
        return done;
      case 'provision':
        if (await this.#annotate(claim, decision.provisioner)) return done;
        this.#tell(claim, decision.event);
        await binding.setClaimPhase(claim, 'Pending');
        return { requeueAfterMs: RESYNC_MS };
      case 'wait':
        if (decision.event) this.#tell(claim, decision.event);
        await binding.setClaimPhase(claim, 'Pending');
        return { requeueAfterMs: RESYNC_MS };
    }
  }

  /** Asks the provisioner; true when that was news. */
  async #annotate(claim: PersistentVolumeClaim, provisioner: string): Promise<boolean> {
    const asked = { [STORAGE_PROVISIONER]: provisioner, [BETA_STORAGE_PROVISIONER]: provisioner };
    const { annotations } = claim.metadata;
    if (annotations?.[STORAGE_PROVISIONER] === provisioner) return false;
    await this.clients.claims.update({
      ...claim,
      metadata: { ...claim.metadata, annotations: { ...annotations, ...asked } },
    });
    return true;
  }

  #usersOf({ metadata }: Pick<PersistentVolumeClaim, 'metadata'>): Pod[] {
    const { namespace = '', name = '' } = metadata;
    return this.caches.pods.list(namespace).filter((pod) => claimsOfPod(pod).includes(name));
  }

  async #volume(key: ObjectKey): Promise<Result> {
    const volume = this.caches.volumes.get(key);
    if (!volume) return done;
    const claim = await this.#claimOf(volume);
    const decision = decideVolume(volume, claim);
    if (decision.act === 'recycle') return this.#recycle(volume);
    await this.#actOnVolume(volume, claim, decision);
    return done;
  }

  /** A failure is told, and then it is tried again (k8s pv_controller.go: recycleVolumeOperation). */
  async #recycle(volume: PersistentVolume): Promise<Result> {
    const { binding, recycler } = this.clients;
    const tell = (type: Told['type'], reason: string, message: string): void => {
      this.#tell(volume, { type, reason, message });
    };
    const users = this.#usersOfReleased(volume);
    if (users.length > 0) {
      const names = users.map(({ metadata: m }) => `${m.namespace ?? ''}/${m.name ?? ''}`);
      tell('Normal', 'VolumeFailedRecycle', `Volume is used by pods: ${names.join(',')}`);
      return { requeueAfterMs: RESYNC_MS };
    }
    if (volume.status?.phase !== 'Failed' && (await binding.setVolumePhase(volume, 'Released')))
      return { requeueAfterMs: 0 };
    const recycled = await recycler.step(volume);
    if (recycled.result === 'under-way') return done;
    if (recycled.result === 'done') {
      tell('Normal', 'VolumeRecycled', 'Volume recycled');
      await this.#unbind(volume);
      return done;
    }
    await binding.setVolumePhase(volume, 'Failed', recycled.message);
    tell('Warning', 'VolumeFailedRecycle', recycled.message);
    return { requeueAfterMs: RESYNC_MS };
  }

  /** Pods that may still write to it: of its claim, unless there is another of that name by now. */
  #usersOfReleased({ spec }: PersistentVolume): Pod[] {
    const { namespace = '', name = '' } = spec?.claimRef ?? {};
    const another = this.caches.claims.get({ namespace, name });
    if (another) return [];
    return this.#usersOf({ metadata: { namespace, name } });
  }

  async #unbind(volume: PersistentVolume): Promise<void> {
    const freed = await this.clients.volumes.update(unbound(volume));
    await this.clients.binding.setVolumePhase(freed, 'Available');
  }

  /** Before a volume is released the server is asked: the cache may not have seen the claim. */
  async #claimOf({ spec }: PersistentVolume): Promise<PersistentVolumeClaim | undefined> {
    const { namespace, name, uid } = spec?.claimRef ?? {};
    if (!uid || !name || !namespace) return undefined;
    const cached = this.caches.claims.get({ namespace, name });
    if (cached?.metadata.uid === uid) return cached;
    const { items } = await this.clients.claims.list({
      namespace,
      fieldSelector: `metadata.name=${name}`,
    });
    return items[0];
  }

  async #actOnVolume(
    volume: PersistentVolume,
    claim: PersistentVolumeClaim | undefined,
    decision: Exclude<VolumeDecision, { act: 'recycle' }>,
  ): Promise<void> {
    const { binding } = this.clients;
    switch (decision.act) {
      case 'phase':
        await binding.setVolumePhase(volume, decision.phase);
        return;
      case 'look-at-claim':
        // The claim's own key decides; it is put there by the volume's event.
        return;
      case 'mismatch':
        this.#tell(volume, decision.volume);
        if (claim) this.#tell(claim, decision.claim);
        return;
      case 'unbind':
        await this.#unbind(volume);
        return;
      case 'release':
        await this.#release(volume, decision.failure);
    }
  }

  async #release(volume: PersistentVolume, failure: Told | undefined): Promise<void> {
    const { binding } = this.clients;
    if (failure) {
      const isNew = await binding.setVolumePhase(volume, 'Failed', failure.message);
      if (isNew) this.#tell(volume, failure);
      if (isNew && failure.reason === 'VolumeFailedDelete') this.meters.deletionFailed(volume);
    } else if (volume.status?.phase !== 'Failed') await binding.setVolumePhase(volume, 'Released');
  }

  #tell(object: PersistentVolume | PersistentVolumeClaim, { type, reason, message }: Told): void {
    this.events.event(object, type, reason, message);
  }
}
