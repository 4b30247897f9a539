import { isDeepStrictEqual } from 'node:util';
import type { ObjectKey } from '@orrery/apimachinery';
import { isAlreadyExists, isNotFound } from '@orrery/apimachinery';
import type {
  CSIDriver,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  VolumeAttachment,
} from '@orrery/api';
import { resources } from '@orrery/api';
import type { KubeClient } from '@orrery/client';
import type { Clock } from '@orrery/component';
import { defineController, done } from '@orrery/controller';
import type { EventRecorder, Reconciler, Result } from '@orrery/controller';
import { BY_NODE } from '@orrery/informers';
import type { Lister } from '@orrery/informers';
import type { ControllerEntry } from '../../controller-entry.js';
import { podInformer } from '../../pods/pod-indexes.js';
import { claimsOfPod } from '../pvc-protection/claims-of-pod.js';
import { MOST_UNMOUNT_MS, isOutOfService, planAttachments } from './attach-detach.decide.js';
import type { Attachable, AttachPlan } from './attach-detach.decide.js';
import { createAttachMeters } from './attach-detach.metrics.js';
import type { ForcedDetach } from './attach-detach.metrics.js';

const NAME = 'persistentvolume-attach-detach-controller';
/** A volume that another node holds is looked at again. */
const RETRY_MS = 15_000;

export interface AttachCaches {
  readonly nodes: Lister<Node>;
  readonly pods: Lister<Pod>;
  readonly claims: Lister<PersistentVolumeClaim>;
  readonly volumes: Lister<PersistentVolume>;
  readonly drivers: Lister<CSIDriver>;
  readonly attachments: Lister<VolumeAttachment>;
}

/** Asks CSI drivers to attach volumes to the nodes whose pods use them, and to detach them afterwards. */
export class AttachDetachReconciler implements Reconciler {
  /** Since when nobody wants an attachment that a kubelet still has mounted. */
  readonly #unused = new Map<string, number>();
  /** What was last told to the pods that wait for an attachment. */
  readonly #told = new Map<string, string>();

  constructor(
    private readonly caches: AttachCaches,
    private readonly client: KubeClient,
    private readonly events: EventRecorder,
    private readonly options: {
      readonly clock: Clock;
      readonly neverForce: boolean;
      readonly forced: ForcedDetach;
    },
  ) {}

  async reconcile(key: ObjectKey): Promise<Result> {
    const { pods, claims, volumes, drivers, attachments } = this.caches;
    const now = this.options.clock.monotonic();
    const node = this.caches.nodes.get(key) ?? { metadata: { name: key.name } };
    const plan = planAttachments({
      node: node as Node,
      pods: pods.byIndex(BY_NODE, key.name),
      claimOf: (namespace, name) => claims.get({ namespace, name }),
      volumeOf: (name) => volumes.get({ name }),
      driverOf: (name) => drivers.get({ name }),
      attachments: attachments.list(),
      podsOn: (name) => pods.byIndex(BY_NODE, name),
      unusedMs: (name) => now - (this.#unused.get(name) ?? now),
      neverForce: this.options.neverForce,
    });
    for (const { metadata } of plan.held) {
      const { name = '' } = metadata;
      this.#unused.set(name, this.#unused.get(name) ?? now);
    }
    for (const { attachment } of plan.present) this.#unused.delete(attachment.metadata.name ?? '');
    await this.#listAttached(this.caches.nodes.get(key), plan);
    for (const attachment of plan.detach) await this.#detach(attachment);
    for (const { reason } of plan.forced) this.options.forced(reason);
    for (const volume of plan.attach) await this.#attach(volume, key.name);
    for (const { volume, message } of plan.refused)
      for (const pod of volume.pods)
        this.events.event(pod, 'Warning', 'FailedAttachVolume', message);
    this.#tellProgress(plan);
    if (plan.refused.length > 0) return { requeueAfterMs: RETRY_MS };
    const oldest = Math.min(
      ...plan.held.map(({ metadata }) => this.#unused.get(metadata.name ?? '') ?? now),
    );
    return plan.held.length > 0 && !this.options.neverForce
      ? { requeueAfterMs: Math.max(RETRY_MS, oldest + MOST_UNMOUNT_MS - now) }
      : done;
  }

  /** Says to the pods of a volume how its attachment fares, once each time that it changes. */
  #tellProgress({ present }: AttachPlan): void {
    for (const { volume, attachment } of present) {
      const { name = '' } = attachment.metadata;
      const { attached, attachError } = attachment.status ?? {};
      const state = attached ? 'attached' : (attachError?.time ?? '');
      const before = this.#told.get(name);
      this.#told.set(name, state);
      // What was attached when this process first saw it was told by another.
      const isNews = state !== '' && state !== before && !(before === undefined && attached);
      if (isNews) this.#tell(volume, attached ? undefined : (attachError?.message ?? ''));
    }
  }

  /** k8s pkg/volume/util/operationexecutor: GenerateAttachVolumeFunc */
  #tell({ volume, pods }: Attachable, failure: string | undefined): void {
    const about = `for volume "${volume.metadata.name ?? ''}" `;
    for (const pod of pods)
      if (failure === undefined) {
        const text = `AttachVolume.Attach succeeded ${about}`;
        this.events.event(pod, 'Normal', 'SuccessfulAttachVolume', text);
      } else {
        const text = `AttachVolume.Attach failed ${about}: ${failure}`;
        this.events.event(pod, 'Warning', 'FailedAttachVolume', text);
      }
  }

  /** The node's kubelet waits for a volume to be listed; one that is to go is taken from the list before it goes. */
  async #listAttached(node: Node | undefined, { attached }: AttachPlan): Promise<void> {
    if (!node) return;
    const before = node.status?.volumesAttached ?? [];
    const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);
    if (isDeepStrictEqual([...before].sort(byName), [...attached])) return;
    const { name = '', resourceVersion } = node.metadata;
    const body = { metadata: { resourceVersion }, status: { volumesAttached: attached } };
    const nodes = this.client.resource(resources.nodes);
    await nodes.patch({ name }, 'merge', body, { subresource: 'status' });
  }

  async #attach({ name, driver, volume }: Attachable, nodeName: string): Promise<void> {
    const source = { persistentVolumeName: volume.metadata.name ?? '' };
    this.#told.set(name, '');
    try {
      await this.client
        .resource(resources.volumeattachments)
        .create({ metadata: { name }, spec: { attacher: driver, nodeName, source } });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  }

  async #detach({ metadata: { name = '', uid } }: VolumeAttachment): Promise<void> {
    this.#unused.delete(name);
    this.#told.delete(name);
    try {
      await this.client
        .resource(resources.volumeattachments)
        .delete({ name }, uid ? { preconditions: { uid } } : {});
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

export const attachDetachController: ControllerEntry = {
  name: NAME,
  definition({ informers }) {
    const pods = podInformer(informers).lister;
    const ofClaim = ({ metadata }: PersistentVolumeClaim): ObjectKey[] =>
      pods
        .list(metadata.namespace)
        .filter((pod) => pod.spec?.nodeName && claimsOfPod(pod).includes(metadata.name ?? ''))
        .map(({ spec }) => ({ name: spec?.nodeName ?? '' }));
    const used = (node: Node): string =>
      JSON.stringify([
        node.status?.volumesInUse ?? [],
        isOutOfService(node),
        node.status?.conditions?.find(({ type }) => type === 'Ready')?.status,
      ]);
    return defineController(NAME)
      .for(resources.nodes, { changed: (node, old) => used(node) !== used(old) })
      .watches(resources.pods, (pod) =>
        pod.spec?.nodeName && claimsOfPod(pod).length > 0 ? [{ name: pod.spec.nodeName }] : [],
      )
      .watches(resources.persistentvolumeclaims, ofClaim)
      .watches(resources.persistentvolumes, () => [], { changed: () => false })
      .watches(resources.csidrivers, () => [], { changed: () => false })
      .watches(resources.volumeattachments, ({ spec }) => [{ name: spec.nodeName }])
      .build();
  },
  create({ client, informers, events, clock, options, metrics }) {
    const caches: AttachCaches = {
      nodes: informers.informer(resources.nodes).lister,
      pods: podInformer(informers).lister,
      claims: informers.informer(resources.persistentvolumeclaims).lister,
      volumes: informers.informer(resources.persistentvolumes).lister,
      drivers: informers.informer(resources.csidrivers).lister,
      attachments: informers.informer(resources.volumeattachments).lister,
    };
    return new AttachDetachReconciler(caches, client, events('attachdetach-controller'), {
      clock,
      neverForce: options.disableForceDetachOnTimeout,
      forced: createAttachMeters(metrics, caches),
    });
  },
};
