import type { Node, NodeCondition, NodeStatus } from '@orrery/api';
import { KUBERNETES_VERSION } from '@orrery/component';
import type { RuntimeCondition, RuntimeImage, RuntimeInfo } from '../runtime/runtime.js';
import { pressureConditions } from '../eviction/eviction-manager.js';
import type { Machine } from './machine.js';

export interface NodeFacts {
  readonly machine: Machine;
  readonly runtime: RuntimeInfo | undefined;
  /** Undefined when the runtime does not answer. */
  readonly runtimeConditions: readonly RuntimeCondition[] | undefined;
  readonly plegHealthy: boolean;
  readonly images: readonly RuntimeImage[];
  readonly nodeName: string;
  readonly nodeIps: readonly string[];
  /** The runtime emulates the pod network; else an agent or add-on sets it up, and says how it is. */
  readonly emulatesNetwork: boolean;
  readonly port: number;
  readonly maxPods: number;
  /** MemoryPressure, DiskPressure, PIDPressure: those that the node is under. */
  readonly pressures: readonly string[];
  /** Why the node goes down, else undefined. */
  readonly shutdown: string | undefined;
  readonly reserved: Readonly<Record<string, number>>;
  /** RFC 3339. */
  readonly now: string;
}

/** Most images a node shows (k8s --node-status-max-images). */
const MAX_IMAGES = 50;
const KI = 1024;

/** Why pods cannot run here, in upstream's words; empty = they can. */
export function runtimeProblems(conditions: readonly RuntimeCondition[] | undefined): string[] {
  if (!conditions) return ['container runtime is down'];
  const problem = (type: string, label: string): string[] => {
    const found = conditions.find((one) => one.type === type);
    if (found?.status) return [];
    return [
      `${label} not ready: ${type}=false reason:${found?.reason ?? ''} message:${found?.message ?? ''}`,
    ];
  };
  return [
    ...problem('RuntimeReady', 'container runtime'),
    ...problem('NetworkReady', 'container runtime network'),
  ];
}

function readyCondition(facts: NodeFacts): NodeCondition {
  const problems = runtimeProblems(facts.runtimeConditions);
  if (facts.shutdown !== undefined) problems.push(facts.shutdown);
  if (!facts.plegHealthy) problems.push('PLEG is not healthy: pleg has yet to be successful');
  return problems.length === 0
    ? {
        type: 'Ready',
        status: 'True',
        reason: 'KubeletReady',
        message: 'kubelet is posting ready status',
      }
    : { type: 'Ready', status: 'False', reason: 'KubeletNotReady', message: problems.join(', ') };
}

/** What the emulated network cannot do is said here, where a network add-on would report. */
function networkCondition(facts: NodeFacts): NodeCondition[] {
  if (!facts.emulatesNetwork) return [];
  const down = facts.runtimeConditions?.some((one) => one.type === 'NetworkReady' && !one.status);
  if (down) return [];
  return [
    {
      type: 'NetworkUnavailable',
      status: 'False',
      reason: 'EmulatedNetwork',
      message:
        "pods have addresses of the node's emulated network; network add-ons (flannel, calico, …) are stored but move no packet, NetworkPolicies hold for traffic through Services alone, IPv6 is not available",
    },
  ];
}

function conditionsOf(facts: NodeFacts, old: readonly NodeCondition[]): NodeCondition[] {
  const fresh: NodeCondition[] = [
    ...networkCondition(facts),
    ...pressureConditions(facts.pressures),
    readyCondition(facts),
  ];
  return fresh.map((condition) => {
    const before = old.find((one) => one.type === condition.type);
    const same = before?.status === condition.status;
    return {
      ...condition,
      lastHeartbeatTime: facts.now,
      lastTransitionTime: (same ? before.lastTransitionTime : undefined) ?? facts.now,
    };
  });
}

export function capacityOf(machine: Machine, maxPods: number): Record<string, string> {
  return {
    cpu: String(machine.cpus),
    memory: `${Math.floor(machine.memoryBytes / KI)}Ki`,
    'ephemeral-storage': `${Math.floor(machine.ephemeralStorageBytes / KI)}Ki`,
    'hugepages-1Gi': '0',
    'hugepages-2Mi': '0',
    pods: String(maxPods),
  };
}

/** Everything but what is reserved and what eviction holds back: 10% of storage, 100 Mi of memory. */
export function allocatableOf(
  machine: Machine,
  maxPods: number,
  reserved: Readonly<Record<string, number>> = {},
): Record<string, string> {
  const { cpu = 0, memory = 0, 'ephemeral-storage': storage = 0 } = reserved;
  return {
    ...capacityOf(machine, maxPods),
    ...(cpu > 0 ? { cpu: `${Math.round((machine.cpus - cpu) * 1000)}m` } : {}),
    memory: `${Math.floor((machine.memoryBytes - memory) / KI) - 100 * KI}Ki`,
    'ephemeral-storage': String(Math.floor(machine.ephemeralStorageBytes * 0.9) - storage),
  };
}

/** Resources that somebody else has put into the node's capacity: all of them may be given to pods. */
export function extendedOf({ capacity = {} }: NodeStatus, own: Readonly<Record<string, string>>) {
  return Object.fromEntries(Object.entries(capacity).filter(([name]) => !(name in own)));
}

/** What this kubelet does that nodes of other versions may not (k8s component-helpers/nodedeclaredfeatures), in order. */
export const DECLARED_FEATURES = [
  'ExtendWebSocketsToKubelet',
  'InPlacePodLevelResourcesVerticalScaling',
  'InPlacePodVerticalScalingInitContainers',
  'RestartAllContainersOnContainerExits',
] as const;

/** What the runtime says that it can do (k8s pkg/kubelet/nodestatus/setters.go:Features, RuntimeHandlers). */
function runtimeStatus({ runtime }: NodeFacts): Partial<NodeStatus> {
  const { handlers = [], supplementalGroupsPolicy } = runtime ?? {};
  return {
    ...(supplementalGroupsPolicy === undefined ? {} : { features: { supplementalGroupsPolicy } }),
    ...(handlers.length === 0
      ? {}
      : {
          runtimeHandlers: handlers.map(({ name, recursiveReadOnlyMounts, userNamespaces }) => ({
            name,
            features: { recursiveReadOnlyMounts, userNamespaces },
          })),
        }),
  };
}

/** The node's status as this kubelet sees it (k8s pkg/kubelet/nodestatus/setters.go). Pure. */
export function nodeStatus(facts: NodeFacts, old: Node | undefined): NodeStatus {
  const { machine, runtime } = facts;
  const capacity = capacityOf(machine, facts.maxPods);
  const extended = extendedOf(old?.status ?? {}, capacity);
  return {
    capacity: { ...capacity, ...extended },
    allocatable: { ...allocatableOf(machine, facts.maxPods, facts.reserved), ...extended },
    conditions: conditionsOf(facts, old?.status?.conditions ?? []),
    addresses: [
      ...facts.nodeIps.map((address) => ({ type: 'InternalIP', address })),
      { type: 'Hostname', address: facts.nodeName },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: facts.port } },
    nodeInfo: {
      machineID: machine.machineId,
      systemUUID: machine.machineId,
      bootID: machine.bootId,
      kernelVersion: machine.kernelVersion,
      osImage: machine.osImage,
      containerRuntimeVersion: runtime ? `${runtime.name}://${runtime.version}` : '',
      kubeletVersion: KUBERNETES_VERSION,
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: machine.architecture,
    },
    ...runtimeStatus(facts),
    declaredFeatures: [...DECLARED_FEATURES],
    images: facts.images
      .toSorted((a, b) => b.sizeBytes - a.sizeBytes)
      .slice(0, MAX_IMAGES)
      .map((image) => ({
        names: [...image.digests, ...image.tags].slice(0, 5),
        sizeBytes: image.sizeBytes,
      })),
  };
}
