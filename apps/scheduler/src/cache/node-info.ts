import type { Node } from '@orrery/api';
import type { PodInfo } from '../framework/pod-info.js';
import { addResources, cloneResources, newResources, toResources } from '../framework/resources.js';
import type { Resources } from '../framework/resources.js';
import { HostPortSet } from './host-port-set.js';

const MAX_COUNTS = 64;

/** A node with the pods on it, summed up. Changed only by the cache, or on a clone. */
export class NodeInfo {
  node: Node | undefined;
  allocatable: Resources = newResources();
  requested: Resources = newResources();
  nonZeroRequested: Resources = newResources();
  ports = new HostPortSet();
  /** Size by image name, as the kubelet reports. */
  images: ReadonlyMap<string, number> = new Map();
  readonly pods = new Map<string, PodInfo>();
  readonly podsWithAffinity = new Map<string, PodInfo>();
  readonly podsWithRequiredAntiAffinity = new Map<string, PodInfo>();

  /** What plugins counted on this node, by a key of theirs; forgotten when its pods change. */
  readonly #counts = new Map<string, number>();

  constructor(readonly name: string) {}

  /** `count()`, kept until the pods change. */
  counted(key: string, count: () => number): number {
    if (this.pods.size === 0) return 0;
    const known = this.#counts.get(key);
    if (known !== undefined) return known;
    if (this.#counts.size >= MAX_COUNTS) this.#counts.clear();
    const value = count();
    this.#counts.set(key, value);
    return value;
  }

  get labels(): Readonly<Record<string, string>> {
    return this.node?.metadata.labels ?? {};
  }

  setNode(node: Node | undefined): void {
    this.node = node;
    this.allocatable = toResources(node?.status?.allocatable);
    const images = new Map<string, number>();
    for (const image of node?.status?.images ?? [])
      for (const name of image.names ?? []) images.set(name, image.sizeBytes ?? 0);
    this.images = images;
  }

  addPod(pod: PodInfo): void {
    if (this.pods.has(pod.uid)) this.removePod(pod.uid);
    this.#counts.clear();
    this.pods.set(pod.uid, pod);
    addResources(this.requested, pod.request);
    addResources(this.nonZeroRequested, pod.nonZeroRequest);
    for (const port of pod.hostPorts) this.ports.add(port);
    if (!pod.affinity) return;
    this.podsWithAffinity.set(pod.uid, pod);
    if (pod.affinity.requiredAntiAffinity.length > 0)
      this.podsWithRequiredAntiAffinity.set(pod.uid, pod);
  }

  /** True when the pod was there. */
  removePod(uid: string): boolean {
    const pod = this.pods.get(uid);
    if (!pod) return false;
    this.#counts.clear();
    this.pods.delete(uid);
    this.podsWithAffinity.delete(uid);
    this.podsWithRequiredAntiAffinity.delete(uid);
    addResources(this.requested, pod.request, -1);
    addResources(this.nonZeroRequested, pod.nonZeroRequest, -1);
    for (const port of pod.hostPorts) this.ports.remove(port);
    return true;
  }

  /** A copy to try changes on. */
  clone(): NodeInfo {
    const copy = new NodeInfo(this.name);
    copy.node = this.node;
    copy.allocatable = this.allocatable;
    copy.images = this.images;
    copy.requested = cloneResources(this.requested);
    copy.nonZeroRequested = cloneResources(this.nonZeroRequested);
    copy.ports = this.ports.clone();
    for (const [uid, pod] of this.pods) copy.pods.set(uid, pod);
    for (const [uid, pod] of this.podsWithAffinity) copy.podsWithAffinity.set(uid, pod);
    for (const [uid, pod] of this.podsWithRequiredAntiAffinity)
      copy.podsWithRequiredAntiAffinity.set(uid, pod);
    return copy;
  }
}
