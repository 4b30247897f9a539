import { isDeepStrictEqual } from 'node:util';
import { deepEqual } from '@orrery/apimachinery';
import type { Node } from '@orrery/api';
import type { Clock } from '@orrery/component';
import type { PodInfo } from '../framework/pod-info.js';
import type { NodeCounts } from './node-counts.js';
import { NodeInfo } from './node-info.js';
import { zoneInterleaved, zoneOf } from './node-order.js';
import { PodCounts } from './pod-counts.js';
import type { CountedPods } from './pod-counts.js';
import { TermCounts } from './term-counts.js';

/** How long a bound pod may stay unseen on the watch before its place is given back. */
const ASSUMED_TTL_MS = 30_000;

/** The nodes as a cycle sees them. Valid until the cycle first waits. */
export interface NodeInfos {
  /** In the order to look at them. */
  list(): readonly NodeInfo[];
  get(name: string): NodeInfo | undefined;
  /** The terms of all pods on nodes. */
  readonly terms: TermCounts;
  /** Where the pods are that a selector picks. */
  counts(what: CountedPods): NodeCounts;
  /** The domains of a topology, each with its number of nodes. */
  domains(topologyKey: string): ReadonlyMap<string, number>;
  /** Another number when something changed that local plugins look at besides a node and its pods: images, device classes. */
  readonly surroundings: number;
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
  readonly terms = new TermCounts();
  readonly #counts = new PodCounts(() => this.#nodes.values());
  readonly #domains = new Map<string, ReadonlyMap<string, number>>();
  #surroundings = 0;
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

  get surroundings(): number {
    return this.#surroundings;
  }

  counts(what: CountedPods): NodeCounts {
    return this.#counts.of(what);
  }

  /** Labels of namespaces changed, by which pods are selected. */
  namespacesChanged(): void {
    this.#counts.clear();
  }

  domains(topologyKey: string): ReadonlyMap<string, number> {
    let domains = this.#domains.get(topologyKey);
    if (!domains) {
      domains = countDomains(this.list(), topologyKey);
      this.#domains.set(topologyKey, domains);
    }
    return domains;
  }

  nodesWithImage(image: string): number {
    this.#images ??= this.#countImages();
    return this.#images.get(image) ?? 0;
  }

  get sizes(): { readonly nodes: number; readonly pods: number; readonly assumed_pods: number } {
    let assumed = 0;
    for (const pod of this.#pods.values()) if (pod.assumed) assumed += 1;
    return { nodes: this.#nodes.size, pods: this.#pods.size, assumed_pods: assumed };
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
    if (!before || !deepEqual(before.metadata.labels, node.metadata.labels))
      this.#topologyChanged();
    if (!deepEqual(before?.status?.images, node.status?.images)) this.#imagesChanged();
  }

  removeNode(name: string): void {
    const info = this.#nodes.get(name);
    if (!info) return;
    info.setNode(undefined);
    this.#order = undefined;
    this.#topologyChanged();
    this.#imagesChanged();
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

  deviceClassesChanged(): void {
    this.#surroundings += 1;
  }

  #topologyChanged(): void {
    this.#domains.clear();
    this.#counts.nodesChanged();
    this.terms.nodesChanged();
  }

  #imagesChanged(): void {
    this.#images = undefined;
    this.#surroundings += 1;
  }

  #put(state: PodState): void {
    const known = this.#pods.get(state.info.uid);
    if (known?.nodeName === state.nodeName && countsTheSame(known.info, state.info)) {
      this.#pods.set(state.info.uid, state);
      this.#nodeInfo(state.nodeName).refreshPod(state.info);
      return;
    }
    this.#drop(state.info.uid);
    this.#pods.set(state.info.uid, state);
    const node = this.#nodeInfo(state.nodeName);
    node.addPod(state.info);
    this.#count(state.info, node, 1);
  }

  #drop(uid: string): void {
    const state = this.#pods.get(uid);
    if (!state) return;
    this.#pods.delete(uid);
    const node = this.#nodes.get(state.nodeName);
    if (!node) return;
    node.removePod(uid);
    this.#count(state.info, node, -1);
    if (!node.node && node.pods.size === 0) this.#nodes.delete(node.name);
  }

  #count(pod: PodInfo, node: NodeInfo, by: 1 | -1): void {
    this.#counts.change(pod, node, by);
    this.terms.change(pod, node, by);
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

function countDomains(nodes: readonly NodeInfo[], topologyKey: string): Map<string, number> {
  const domains = new Map<string, number>();
  for (const { labels } of nodes) {
    const domain = labels[topologyKey];
    if (domain !== undefined) domains.set(domain, (domains.get(domain) ?? 0) + 1);
  }
  return domains;
}

/** Whether sums and counts stay as they are; for pods with ports or terms that is not looked into. */
function countsTheSame(a: PodInfo, b: PodInfo): boolean {
  if (a.affinity || b.affinity || a.hostPorts.length > 0 || b.hostPorts.length > 0) return false;
  const [x, y] = [a.pod.metadata, b.pod.metadata];
  return (
    a.priority === b.priority &&
    x.deletionTimestamp === y.deletionTimestamp &&
    deepEqual(x.labels, y.labels) &&
    isDeepStrictEqual(a.request, b.request) &&
    deepEqual(a.pod.spec.volumes, b.pod.spec.volumes)
  );
}
