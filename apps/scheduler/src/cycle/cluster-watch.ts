import { isDeepStrictEqual } from 'node:util';
import { resources } from '@orrery/api';
import type { Node, Pod, ResourceRef } from '@orrery/api';
import type { InformerFactory, SharedInformer } from '@orrery/informers';
import type { ClaimLedger } from '../cache/claim-ledger.js';
import type { SchedulerCache } from '../cache/scheduler-cache.js';
import type { ClusterEvent, ClusterEventName } from '../framework/cluster-event.js';
import type { Nominator } from '../framework/nominator.js';
import { toPodInfo } from '../framework/pod-info.js';
import type { PodInfo } from '../framework/pod-info.js';
import { givesBack, podRequest } from '../framework/resources.js';
import type { SchedulingQueue } from '../queue/scheduling-queue.js';
import { nodeChanges } from './node-changes.js';

/** Pods that still run or will: what upstream's scheduler watches. */
export const LIVE_PODS = {
  fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed',
} as const;

/** API servers of before 1.21 and 1.34 do not have them unless told to. */
export const MAY_BE_ABSENT: readonly ResourceRef[] = [
  resources.csistoragecapacities as ResourceRef,
  resources.resourceclaims as ResourceRef,
  resources.deviceclasses as ResourceRef,
  resources.resourceslices as ResourceRef,
];

export interface ClusterWatchOptions {
  readonly informers: InformerFactory;
  readonly cache: SchedulerCache;
  readonly ledger: ClaimLedger;
  readonly queue: SchedulingQueue;
  readonly nominator: Nominator;
  /** Whether a pod asks for one of our profiles. */
  readonly isOurs: (pod: Pod) => boolean;
}

/** What a resize gives back shows in the status, later than in the specification. */
function hasShrunk({ request }: PodInfo, old: Pod): boolean {
  const before = podRequest(old);
  return givesBack(before, request, before);
}

const isAssigned = (pod: Pod): boolean => Boolean(pod.spec.nodeName);

/** Feeds the queue and the cache from the watches (k8s scheduler/eventhandlers.go). */
export class ClusterWatch {
  constructor(private readonly options: ClusterWatchOptions) {}

  /** To be called before the informers start. */
  attach(): void {
    const { informers } = this.options;
    informers.informer(resources.nodes).addHandler({
      onAdd: (node) => {
        this.#nodeAdded(node);
      },
      onUpdate: (node, old) => {
        this.#nodeUpdated(node, old);
      },
      onDelete: (node) => {
        this.options.cache.removeNode(node.metadata.name ?? '');
        this.#tell({ name: 'NodeDelete', old: node });
      },
    });
    informers.informer(resources.pods, LIVE_PODS).addHandler({
      onAdd: (pod) => {
        if (isAssigned(pod)) this.#assignedAdded(pod);
        else this.#pendingAdded(pod);
      },
      onUpdate: (pod, old) => {
        this.#podUpdated(pod, old);
      },
      onDelete: (pod) => {
        if (isAssigned(pod)) this.#assignedDeleted(pod);
        else this.#pendingDeleted(pod);
      },
    });
    this.#tellOf(informers.informer(resources.persistentvolumeclaims), 'Claim');
    this.#tellOf(informers.informer(resources.persistentvolumes), 'Volume');
    this.#tellOf(informers.informer(resources.storageclasses), 'StorageClass');
    this.#tellOf(informers.informer(resources.csinodes), 'CsiNode');
    this.#tellOf(informers.informer(resources.csidrivers), 'CsiDriver');
    this.#tellOf(informers.informer(resources.csistoragecapacities), 'StorageCapacity');
    this.#watchClasses();
    this.#tellOf(informers.informer(resources.resourceslices), 'ResourceSlice');
    this.#watchClaims();
    const namespaces = informers.informer(resources.namespaces);
    namespaces.addHandler({
      onAdd: () => {
        this.options.cache.namespacesChanged();
      },
      onUpdate: (now, old) => {
        if (!isDeepStrictEqual(now.metadata.labels, old.metadata.labels))
          this.options.cache.namespacesChanged();
      },
    });
    this.#tellOf(namespaces, 'Namespace');
  }

  /** Extended resources may be a class's devices: verdicts on nodes that lack them are not kept. */
  #watchClasses(): void {
    const classes = this.options.informers.informer(resources.deviceclasses);
    const changed = (): void => {
      this.options.cache.deviceClassesChanged();
    };
    classes.addHandler({ onAdd: changed, onUpdate: changed, onDelete: changed });
    this.#tellOf(classes, 'DeviceClass');
  }

  /** The ledger knows before anybody is told. */
  #watchClaims(): void {
    const { informers, ledger } = this.options;
    const name = 'ResourceClaim';
    informers.informer(resources.resourceclaims).addHandler({
      onAdd: (claim) => {
        ledger.observe(claim);
        this.#tell({ name, new: claim });
      },
      onUpdate: (claim, old) => {
        ledger.observe(claim);
        this.#tell({ name, new: claim, old });
      },
      onDelete: (claim) => {
        ledger.forget(claim);
        this.#tell({ name, old: claim });
      },
    });
  }

  #tell(event: ClusterEvent): void {
    this.options.queue.onEvent(event);
  }

  #tellOf<T extends { metadata: object }>(
    informer: Pick<SharedInformer<T & Pod>, 'addHandler'>,
    name: ClusterEventName,
  ): void {
    informer.addHandler({
      onAdd: (object) => {
        this.#tell({ name, new: object });
      },
      onUpdate: (object, old) => {
        this.#tell({ name, new: object, old });
      },
    });
  }

  #nodeAdded(node: Node): void {
    this.options.cache.setNode(node);
    this.#tell({ name: 'NodeAdd', new: node });
  }

  #nodeUpdated(node: Node, old: Node): void {
    this.options.cache.setNode(node);
    for (const name of nodeChanges(node, old)) this.#tell({ name, new: node, old });
  }

  #podUpdated(pod: Pod, old: Pod): void {
    const { cache, queue, isOurs } = this.options;
    if (isAssigned(pod)) {
      if (isAssigned(old)) this.#assignedUpdated(pod, old);
      else this.#assignedAdded(pod);
      return;
    }
    if (!isOurs(pod) || cache.isAssumed(pod.metadata.uid ?? '')) return;
    this.#renominate(pod, old);
    queue.update(pod, old);
  }

  /** Follows a nomination that somebody took back or that survived our predecessor. */
  #renominate(pod: Pod, old?: Pod): void {
    const { nominator } = this.options;
    const { uid = '' } = pod.metadata;
    const name = pod.status?.nominatedNodeName ?? '';
    if (old && name === (old.status?.nominatedNodeName ?? '')) return;
    if (name !== '') nominator.nominate(toPodInfo(pod), name);
    else if (old) nominator.remove(uid);
  }

  #pendingAdded(pod: Pod): void {
    const { queue, isOurs } = this.options;
    if (!isOurs(pod)) return;
    this.#renominate(pod);
    queue.add(pod);
  }

  #pendingDeleted(pod: Pod): void {
    const { queue, nominator, cache } = this.options;
    const { uid = '', namespace = '', name = '' } = pod.metadata;
    queue.delete({ namespace, name });
    nominator.remove(uid);
    cache.forget(uid);
    if (pod.status?.nominatedNodeName) this.#tell({ name: 'AssignedPodDelete', old: pod });
  }

  #assignedAdded(pod: Pod): void {
    const { queue, cache, nominator } = this.options;
    const { uid = '', namespace = '', name = '' } = pod.metadata;
    queue.delete({ namespace, name });
    nominator.remove(uid);
    cache.setPod(toPodInfo(pod));
    this.#tell({ name: 'AssignedPodAdd', new: pod });
  }

  #assignedUpdated(pod: Pod, old: Pod): void {
    const info = toPodInfo(pod);
    this.options.cache.setPod(info);
    const changed =
      JSON.stringify([pod.metadata.labels, pod.spec]) !==
        JSON.stringify([old.metadata.labels, old.spec]) || hasShrunk(info, old);
    if (changed) this.#tell({ name: 'AssignedPodUpdate', new: pod, old });
  }

  #assignedDeleted(pod: Pod): void {
    const { uid = '', namespace = '', name = '' } = pod.metadata;
    this.options.queue.delete({ namespace, name });
    this.options.cache.removePod(uid);
    this.#tell({ name: 'AssignedPodDelete', old: pod });
  }
}
