import type {
  Container,
  Node,
  Pod,
  PodAffinityTerm,
  PodSpec,
  Taint,
  Toleration,
  TopologySpreadConstraint,
} from '@orrery/api';
import { NodeInfo } from '../src/cache/node-info.js';
import { toPodInfo } from '../src/framework/pod-info.js';
import type { PodInfo } from '../src/framework/pod-info.js';

/** A pod for specs: one container, nothing asked for. */
export class PodBuilder {
  readonly #pod: Pod;

  constructor(name: string, namespace = 'default') {
    this.#pod = {
      metadata: { name, namespace, uid: `uid-${name}`, labels: {} },
      spec: { containers: [{ name: 'c', image: 'nginx' }], schedulerName: 'default-scheduler' },
      status: { phase: 'Pending' },
    };
  }

  requests(requests: Record<string, string>): this {
    return this.containers({ name: 'c', resources: { requests } });
  }

  containers(...containers: Container[]): this {
    this.#pod.spec.containers = containers;
    return this;
  }

  labels(labels: Record<string, string>): this {
    this.#pod.metadata.labels = labels;
    return this;
  }

  on(nodeName: string): this {
    this.#pod.spec.nodeName = nodeName;
    return this;
  }

  priority(priority: number): this {
    this.#pod.spec.priority = priority;
    return this;
  }

  startedAt(startTime: string): this {
    this.#pod.status = { ...this.#pod.status, phase: 'Running', startTime };
    return this;
  }

  tolerating(...tolerations: Toleration[]): this {
    this.#pod.spec.tolerations = tolerations;
    return this;
  }

  claiming(...names: string[]): this {
    this.#pod.spec.resourceClaims = names.map((name) => ({ name, resourceClaimName: name }));
    return this;
  }

  hostPort(hostPort: number, protocol: 'TCP' | 'UDP' = 'TCP', hostIP?: string): this {
    const ports = [{ containerPort: 80, hostPort, protocol, ...(hostIP ? { hostIP } : {}) }];
    return this.containers({ name: 'c', ports });
  }

  near(...terms: PodAffinityTerm[]): this {
    return this.affinity({
      podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms },
    });
  }

  apart(...terms: PodAffinityTerm[]): this {
    return this.affinity({
      podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms },
    });
  }

  affinity(affinity: NonNullable<PodSpec['affinity']>): this {
    this.#pod.spec.affinity = { ...this.#pod.spec.affinity, ...affinity };
    return this;
  }

  spread(...constraints: TopologySpreadConstraint[]): this {
    this.#pod.spec.topologySpreadConstraints = constraints;
    return this;
  }

  spec(spec: Partial<PodSpec>): this {
    Object.assign(this.#pod.spec, spec);
    return this;
  }

  build(): Pod {
    return structuredClone(this.#pod);
  }

  info(): PodInfo {
    return toPodInfo(this.build());
  }
}

/** A node for specs: 4 cpus, 8Gi, 110 pods, labelled with its name. */
export class NodeBuilder {
  readonly #node: Node;

  constructor(name: string) {
    const allocatable = { cpu: '4', memory: '8Gi', pods: '110' };
    this.#node = {
      metadata: { name, uid: `uid-${name}`, labels: { 'kubernetes.io/hostname': name } },
      spec: {},
      status: { allocatable, capacity: allocatable },
    };
  }

  allocatable(allocatable: Record<string, string>): this {
    this.#node.status = { ...this.#node.status, allocatable: { pods: '110', ...allocatable } };
    return this;
  }

  labels(labels: Record<string, string>): this {
    this.#node.metadata.labels = { ...this.#node.metadata.labels, ...labels };
    return this;
  }

  zone(zone: string): this {
    return this.labels({ 'topology.kubernetes.io/zone': zone });
  }

  tainted(...taints: Taint[]): this {
    this.#node.spec.taints = taints;
    return this;
  }

  declaring(...declaredFeatures: string[]): this {
    this.#node.status = { ...this.#node.status, declaredFeatures };
    return this;
  }

  cordoned(): this {
    this.#node.spec.unschedulable = true;
    return this;
  }

  image(name: string, sizeBytes: number): this {
    const images = [...(this.#node.status?.images ?? []), { names: [name], sizeBytes }];
    this.#node.status = { ...this.#node.status, images };
    return this;
  }

  build(): Node {
    return structuredClone(this.#node);
  }

  /** With these pods on it. */
  info(...pods: readonly PodBuilder[]): NodeInfo {
    const info = new NodeInfo(this.#node.metadata.name ?? '');
    info.setNode(this.build());
    for (const each of pods) info.addPod(each.info());
    return info;
  }
}

export const pod = (name: string, namespace?: string): PodBuilder =>
  new PodBuilder(name, namespace);
export const node = (name: string): NodeBuilder => new NodeBuilder(name);
