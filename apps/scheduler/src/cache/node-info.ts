import type { Node } from '@orrery/api';
import type { PodInfo } from '../framework/pod-info.js';
import { addResources, cloneResources, newResources, toResources } from '../framework/resources.js';
import type { Resources } from '../framework/resources.js';
import { HostPortSet } from './host-port-set.js';

const NO_LABELS: Readonly<Record<string, string>> = {};

/** A node with the pods on it, summed up. Changed only by the cache, or on a clone. */
export class NodeInfo {
  node: Node | undefined;
  labels: Readonly<Record<string, string>> = NO_LABELS;
  allocatable: Resources = newResources();
  requested: Resources = newResources();
  nonZeroRequested: Resources = newResources();
  ports = new HostPortSet();
  /** Size by image name, as the kubelet reports. */
  images: ReadonlyMap<string, number> = new Map();
  readonly pods = new Map<string, PodInfo>();
  /** Another number after each change of the node or of its pods. */
  generation = 0;

  constructor(readonly name: string) {}

  setNode(node: Node | undefined): void {
    this.generation += 1;
    this.node = node;
    this.labels = node?.metadata.labels ?? NO_LABELS;
    this.allocatable = toResources(node?.status?.allocatable);
    const images = new Map<string, number>();
    for (const image of node?.status?.images ?? [])
      for (const name of image.names ?? []) images.set(name, image.sizeBytes ?? 0);
    this.images = images;
  }

  addPod(pod: PodInfo): void {
    if (this.pods.has(pod.uid)) this.removePod(pod.uid);
    this.generation += 1;
    this.pods.set(pod.uid, pod);
    addResources(this.requested, pod.request);
    addResources(this.nonZeroRequested, pod.nonZeroRequest);
    for (const port of pod.hostPorts) this.ports.add(port);
  }

  /** True when the pod was there. */
  removePod(uid: string): boolean {
    const pod = this.pods.get(uid);
    if (!pod) return false;
    this.generation += 1;
    this.pods.delete(uid);
    addResources(this.requested, pod.request, -1);
    addResources(this.nonZeroRequested, pod.nonZeroRequest, -1);
    for (const port of pod.hostPorts) this.ports.remove(port);
    return true;
  }

  /** Takes a newer state of a pod that is there and for which nothing changes that is summed up. */
  refreshPod(pod: PodInfo): void {
    this.pods.set(pod.uid, pod);
  }

  /** A copy to try changes on. */
  clone(): NodeInfo {
    const copy = new NodeInfo(this.name);
    copy.node = this.node;
    copy.labels = this.labels;
    copy.allocatable = this.allocatable;
    copy.images = this.images;
    copy.requested = cloneResources(this.requested);
    copy.nonZeroRequested = cloneResources(this.nonZeroRequested);
    copy.ports = this.ports.clone();
    for (const [uid, pod] of this.pods) copy.pods.set(uid, pod);
    return copy;
  }
}
