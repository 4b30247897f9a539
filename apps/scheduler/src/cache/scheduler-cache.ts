import type { Node } from '@orrery/api';
import type { Clock } from '@orrery/component';
import type { PodInfo } from '../framework/pod-info.js';
import { NodeInfo } from './node-info.js';
import { zoneInterleaved, zoneOf } from './node-order.js';

/** How long a bound pod may stay unseen on the watch before its place is given back. */
const ASSUMED_TTL_MS = 30_000;

/** The nodes as a cycle sees them. Valid until the cycle first waits. */
export interface NodeInfos {
  /** In the order to look at them. */
  list(): readonly NodeInfo[];
  get(name: string): NodeInfo | undefined;
  withAffinity(): readonly NodeInfo[];
  withRequiredAntiAffinity(): readonly NodeInfo[];
  /** On how many nodes the image is. */
  nodesWithImage(image: string): number;
}

interface PodState {
  readonly info: PodInfo;
  readonly nodeName: string;
  /** Ours and not seen on the watch yet. */
  readonly assumed: boolean;
  /** Set when the binding was written; monotonic. */
  readonly expiresAt?: number;
}

/**
 * Nodes and the pods on them, from the watch and from our own decisions that the watch has not shown yet.
 *
 *   (none) ──assume──> assumed ──watch──> known ──watch: gone──> (none)
 *                         └──forget, or 30 s after the binding──> (none)
 *
 * A cycle reads the cache itself: it does not wait between the first read and the assumption, so nothing is copied,
 * and what is derived (order, lists, image counts) is made anew only after a change that concerns it.
 */
export class SchedulerCache implements NodeInfos {
  readonly #nodes = new Map<string, NodeInfo>();
  readonly #pods = new Map<string, PodState>();
  readonly #affinity = new Set<NodeInfo>();
  readonly #antiAffinity = new Set<NodeInfo>();
  #order: readonly NodeInfo[] | undefined;
  #images: ReadonlyMap<string, number> | undefined;

  constructor(private readonly clock: Clock) {}

  list(): readonly NodeInfo[] {
    this.#order ??= zoneInterleaved([...this.#nodes.values()]);
    return this.#order;
  }

  get(name: string): NodeInfo | undefined {
    const info = this.#nodes.get(name);
    return info?.node ? info : undefined;
  }

  withAffinity(): readonly NodeInfo[] {
    return [...this.#affinity].filter((info) => info.node);
  }

  withRequiredAntiAffinity(): readonly NodeInfo[] {
    return [...this.#antiAffinity].filter((info) => info.node);
  }

  nodesWithImage(image: string): number {
    this.#images ??= this.#countImages();
    return this.#images.get(image) ?? 0;
  }

  get podCount(): number {
    return this.#pods.size;
  }

  isAssumed(uid: string): boolean {
    return this.#pods.get(uid)?.assumed ?? false;
  }

  has(uid: string): boolean {
    return this.#pods.has(uid);
  }

  setNode(node: Node): void {
    const info = this.#nodeInfo(node.metadata.name ?? '');
    const before = info.node;
    info.setNode(node);
    if (!before || zoneOf(before) !== zoneOf(node)) this.#order = undefined;
    if (before?.status?.images !== node.status?.images) this.#images = undefined;
  }

  removeNode(name: string): void {
    const info = this.#nodes.get(name);
    if (!info) return;
    info.setNode(undefined);
    this.#order = undefined;
    this.#images = undefined;
    if (info.pods.size === 0) this.#nodes.delete(name);
  }

  /** Counts our own decision before it is written. */
  assume(info: PodInfo, nodeName: string): void {
    this.#put({ info, nodeName, assumed: true });
  }

  /** The binding was written: from now on the watch has to show it. */
  finishBinding(uid: string): void {
    const state = this.#pods.get(uid);
    if (!state?.assumed) return;
    this.#pods.set(uid, { ...state, expiresAt: this.clock.monotonic() + ASSUMED_TTL_MS });
  }

  /** Takes a decision back; a pod that the watch has shown stays. */
  forget(uid: string): void {
    if (this.isAssumed(uid)) this.#drop(uid);
  }

  /** What the watch shows of an assigned pod. */
  setPod(info: PodInfo): void {
    this.#put({ info, nodeName: info.pod.spec.nodeName ?? '', assumed: false });
  }

  removePod(uid: string): void {
    this.#drop(uid);
  }

  /** Gives back the places of bound pods that never came; returns those pods. */
  expire(): readonly PodInfo[] {
    const now = this.clock.monotonic();
    const late = [...this.#pods.values()].filter((s) => s.assumed && (s.expiresAt ?? now) < now);
    for (const { info } of late) this.#drop(info.uid);
    return late.map(({ info }) => info);
  }

  #put(state: PodState): void {
    this.#drop(state.info.uid);
    this.#pods.set(state.info.uid, state);
    const node = this.#nodeInfo(state.nodeName);
    node.addPod(state.info);
    this.#note(node);
  }

  #drop(uid: string): void {
    const state = this.#pods.get(uid);
    if (!state) return;
    this.#pods.delete(uid);
    const node = this.#nodes.get(state.nodeName);
    if (!node) return;
    node.removePod(uid);
    this.#note(node);
    if (!node.node && node.pods.size === 0) this.#nodes.delete(node.name);
  }

  #note(node: NodeInfo): void {
    if (node.podsWithAffinity.size > 0) this.#affinity.add(node);
    else this.#affinity.delete(node);
    if (node.podsWithRequiredAntiAffinity.size > 0) this.#antiAffinity.add(node);
    else this.#antiAffinity.delete(node);
  }

  #nodeInfo(name: string): NodeInfo {
    let info = this.#nodes.get(name);
    if (!info) {
      info = new NodeInfo(name);
      this.#nodes.set(name, info);
    }
    return info;
  }

  #countImages(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { images } of this.list())
      for (const image of images.keys()) counts.set(image, (counts.get(image) ?? 0) + 1);
    return counts;
  }
}
