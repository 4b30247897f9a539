import type { PodInfo } from './pod-info.js';

/** Pods that a preemption makes room for, by the node where it does. */
export class Nominator {
  readonly #byNode = new Map<string, Map<string, PodInfo>>();
  readonly #nodeOf = new Map<string, string>();

  /** Replaces an earlier nomination of the pod. */
  nominate(pod: PodInfo, nodeName: string): void {
    this.remove(pod.uid);
    const pods = this.#byNode.get(nodeName) ?? new Map<string, PodInfo>();
    pods.set(pod.uid, pod);
    this.#byNode.set(nodeName, pods);
    this.#nodeOf.set(pod.uid, nodeName);
  }

  remove(uid: string): void {
    const nodeName = this.#nodeOf.get(uid);
    if (nodeName === undefined) return;
    this.#nodeOf.delete(uid);
    const pods = this.#byNode.get(nodeName);
    pods?.delete(uid);
    if (pods?.size === 0) this.#byNode.delete(nodeName);
  }

  nodeOf(uid: string): string | undefined {
    return this.#nodeOf.get(uid);
  }

  hasPodsOn(nodeName: string): boolean {
    return this.#byNode.has(nodeName);
  }

  podsOn(nodeName: string): readonly PodInfo[] {
    const pods = this.#byNode.get(nodeName);
    return pods ? [...pods.values()] : [];
  }
}
