import type {
  Namespace,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  ReplicaSet,
  DeviceClass,
  ReplicationController,
  ResourceSlice,
  Service,
  StatefulSet,
} from '@orrery/api';
import type {
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  PodDisruptionBudget,
  StorageClass,
} from './listed-kinds.js';
import type { KubeClient } from '@orrery/client';
import type { Clock, Logger, Random } from '@orrery/component';
import type { ActionRecorder } from '@orrery/controller';
import type { Lister } from '@orrery/informers';
import type { ClaimLedger } from '../cache/claim-ledger.js';
import type { NodeInfo } from '../cache/node-info.js';
import type { NodeInfos } from '../cache/scheduler-cache.js';
import type { QueuedPod } from '../queue/queued-pod.js';
import type { Extenders } from '../extender/extenders.js';
import type { EventHint } from './cluster-event.js';
import type { CycleState } from './cycle-state.js';
import type { Diagnosis } from './fit-error.js';
import type { Nominator } from './nominator.js';
import type { PodInfo } from './pod-info.js';
import type { Status } from './status.js';

export interface PreFilterResult {
  readonly status: Status;
  /** Only these can fit; absent = any. */
  readonly nodeNames?: ReadonlySet<string>;
}

export interface NodeScore {
  readonly node: NodeInfo;
  score: number;
}

export interface PostFilterResult {
  readonly status: Status;
  readonly nominatedNode?: string;
  /** The writes that the decision asks for. */
  readonly act?: () => Promise<void>;
}

/**
 * A scheduler plugin: any of the extension points. Up to Reserve they are synchronous, so that a cycle sees one state
 * of the cluster; what waits for others (PreBind, Bind, a PostFilter's act) runs after the decision.
 */
export interface Plugin {
  readonly name: string;
  /**
   * The filter and the score depend on nothing but what `templateKey` tells of the pod, the node and its pods: a verdict
   * holds for all pods of the template until the node changes.
   */
  readonly local?: true;
  /** After which events a pod that this plugin refused is tried again. */
  readonly events?: readonly EventHint[];
  preEnqueue?(pod: Pod): Status;
  less?(a: QueuedPod, b: QueuedPod): boolean;
  preFilter?(state: CycleState, pod: PodInfo): PreFilterResult;
  /** Keep PreFilter's state true while preemption or a nomination adds and removes pods. */
  addPod?(state: CycleState, pod: PodInfo, added: PodInfo, node: NodeInfo): void;
  removePod?(state: CycleState, pod: PodInfo, removed: PodInfo, node: NodeInfo): void;
  filter?(state: CycleState, pod: PodInfo, node: NodeInfo): Status;
  postFilter?(
    state: CycleState,
    pod: PodInfo,
    diagnosis: Diagnosis,
  ): PostFilterResult | Promise<PostFilterResult>;
  preScore?(state: CycleState, pod: PodInfo, nodes: readonly NodeInfo[]): Status;
  /** 0 to 100, or anything that normalize brings there. */
  score?(state: CycleState, pod: PodInfo, node: NodeInfo): number;
  /** Changes the scores in place; `nodes` in the same order. */
  normalize?(state: CycleState, pod: PodInfo, scores: number[], nodes: readonly NodeInfo[]): void;
  reserve?(state: CycleState, pod: PodInfo, nodeName: string): Status;
  /** What it writes is awaited before the pod is tried again; a failure is told, and nothing else. */
  unreserve?(state: CycleState, pod: PodInfo, nodeName: string): void | Promise<void>;
  permit?(state: CycleState, pod: PodInfo, nodeName: string, signal: AbortSignal): Promise<Status>;
  /** Whether preBind has anything to do: Skip if not, so that the pod will be bound at once. */
  preBindPreFlight?(state: CycleState, pod: PodInfo, nodeName: string): Status;
  preBind?(state: CycleState, pod: PodInfo, nodeName: string, signal: AbortSignal): Promise<Status>;
  bind?(state: CycleState, pod: PodInfo, nodeName: string, signal: AbortSignal): Promise<Status>;
  postBind?(state: CycleState, pod: PodInfo, nodeName: string): void;
}

export interface Listers {
  readonly pods: Lister<Pod>;
  readonly nodes: Lister<Node>;
  readonly namespaces: Lister<Namespace>;
  readonly claims: Lister<PersistentVolumeClaim>;
  readonly volumes: Lister<PersistentVolume>;
  readonly storageClasses: Lister<StorageClass>;
  readonly csiNodes: Lister<CSINode>;
  readonly csiDrivers: Lister<CSIDriver>;
  readonly storageCapacities: Lister<CSIStorageCapacity>;
  readonly budgets: Lister<PodDisruptionBudget>;
  readonly services: Lister<Service>;
  readonly replicaSets: Lister<ReplicaSet>;
  readonly statefulSets: Lister<StatefulSet>;
  readonly replicationControllers: Lister<ReplicationController>;
  readonly deviceClasses: Lister<DeviceClass>;
  readonly resourceSlices: Lister<ResourceSlice>;
}

/** Runs the filters of the profile on a changed copy of a node: what preemption needs. */
export interface FilterRunner {
  filterWithNominated(state: CycleState, pod: PodInfo, node: NodeInfo): Status;
  addPod(state: CycleState, pod: PodInfo, added: PodInfo, node: NodeInfo): void;
  removePod(state: CycleState, pod: PodInfo, removed: PodInfo, node: NodeInfo): void;
}

/** A wait for devices that are attached before a pod is bound. */
export interface DeviceWait {
  readonly profile: string;
  readonly driver: string;
  readonly status: 'success' | 'failure' | 'timeout';
  readonly seconds: number;
}

/** What plugins are built from. */
export interface PluginContext {
  readonly schedulerName: string;
  readonly client: KubeClient;
  readonly nodes: NodeInfos;
  readonly listers: Listers;
  /** Resource claims, with what was decided of them. */
  readonly ledger: ClaimLedger;
  readonly nominator: Nominator;
  readonly events: ActionRecorder;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly preempted: (victims: number) => void;
  /** A preemption is tried. */
  readonly attempted: () => void;
  readonly deviceWaited: (wait: DeviceWait) => void;
  /** A claim was to be made for extended resources. */
  readonly claimCreated: (status: 'success' | 'failure') => void;
  /** Volumes could not be taken, or not be bound. */
  readonly volumeStageFailed: (operation: 'assume' | 'bind') => void;
  /** Asked about victims of preemptions. */
  readonly extenders: Extenders;
  /** The profile that the plugin is part of; only to be called once a cycle runs. */
  readonly filters: () => FilterRunner;
}

/** One line of the ordered list plugins.ts. */
export interface PluginEntry {
  readonly name: string;
  /** Of its score; default 1. */
  readonly weight?: number;
  /** `args`: pluginConfig of the profile. Throws ConfigError when they are wrong. */
  create(context: PluginContext, args: unknown): Plugin;
}
