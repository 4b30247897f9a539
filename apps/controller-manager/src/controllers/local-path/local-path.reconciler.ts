import type { ObjectKey } from '@orrery/apimachinery';
import { isAlreadyExists, isNotFound } from '@orrery/apimachinery';
import type { Node, PersistentVolume, PersistentVolumeClaim, StorageClass } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import { done } from '@orrery/controller';
import type { EventRecorder, Reconciler, Result } from '@orrery/controller';
import type { Lister } from '@orrery/informers';
import { SELECTED_NODE } from '../persistent-volume/annotations.js';
import { classOf } from '../persistent-volume/match-volume.js';
import {
  CannotProvision,
  isWanted,
  leftoverOf,
  newVolume,
  selectedNode,
  volumeName,
} from './local-path.decide.js';
import type { VolumeFolders } from './volume-folders.js';

export interface LocalPathCaches {
  readonly claims: Lister<PersistentVolumeClaim>;
  readonly volumes: Lister<PersistentVolume>;
  readonly classes: Lister<StorageClass>;
  readonly nodes: Lister<Node>;
}

export interface LocalPathClients {
  readonly claims: ResourceClient<PersistentVolumeClaim>;
  readonly volumes: ResourceClient<PersistentVolume>;
  readonly folders: VolumeFolders;
}

const FIRST_RETRY_MS = 15_000;

/** Makes a volume in a folder of the claim's node, and removes it when it is released. Keys as the binder's. */
export class LocalPathReconciler implements Reconciler {
  constructor(
    private readonly caches: LocalPathCaches,
    private readonly clients: LocalPathClients,
    private readonly events: EventRecorder,
    private readonly folder: string,
  ) {}

  async reconcile(key: ObjectKey): Promise<Result> {
    if (key.namespace) return this.#provision(key);
    return this.#delete(key);
  }

  async #provision(key: ObjectKey): Promise<Result> {
    const claim = this.caches.claims.get(key);
    const storage = claim && this.caches.classes.get({ name: classOf(claim) });
    if (!claim || !storage || !isWanted(claim)) return done;
    if (this.caches.volumes.get({ name: volumeName(claim) })) return done;
    const name = selectedNode(claim);
    const node = name === undefined ? undefined : this.caches.nodes.get({ name });
    if (name !== undefined && !node) return this.#reschedule(claim, name);
    if (name === undefined && storage.volumeBindingMode === 'WaitForFirstConsumer') return done;
    const what = `"${key.namespace}/${key.name}"`;
    const text = `External provisioner is provisioning volume for claim ${what}`;
    this.events.event(claim, 'Normal', 'Provisioning', text);
    try {
      const volume = newVolume({ claim, storage, node, folder: this.folder });
      await this.clients.volumes.create(volume);
    } catch (error) {
      if (isAlreadyExists(error)) return done;
      if (!(error instanceof CannotProvision)) throw error;
      const why = `failed to provision volume with StorageClass "${classOf(claim)}": ${error.message}`;
      this.events.event(claim, 'Warning', 'ProvisioningFailed', why);
      return { requeueAfterMs: FIRST_RETRY_MS };
    }
    const made = `Successfully provisioned volume ${volumeName(claim)}`;
    this.events.event(claim, 'Normal', 'ProvisioningSucceeded', made);
    return done;
  }

  /** The node is gone: the scheduler has to choose another. */
  async #reschedule(claim: PersistentVolumeClaim, node: string): Promise<Result> {
    const text = `failed to get target node: nodes "${node}" not found`;
    this.events.event(claim, 'Warning', 'ProvisioningFailed', text);
    const { [SELECTED_NODE]: _, ...annotations } = claim.metadata.annotations ?? {};
    await this.clients.claims.update({ ...claim, metadata: { ...claim.metadata, annotations } });
    return done;
  }

  async #delete(key: ObjectKey): Promise<Result> {
    const volume = this.caches.volumes.get(key);
    const leftover = volume && leftoverOf(volume, this.folder);
    if (!volume || !leftover) return done;
    try {
      if (!(await this.clients.folders.remove(key.name, leftover))) return done;
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.events.event(volume, 'Warning', 'VolumeFailedDelete', text);
      throw error;
    }
    const { uid } = volume.metadata;
    try {
      await this.clients.volumes.delete(key, uid ? { preconditions: { uid } } : {});
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    return done;
  }
}
