import type { ContainerUser } from '@orrery/api';
import type { MountPropagation } from '@orrery/cri';
import type { Pressure } from '@orrery/component';
import type { RegistryCredentials } from '../images/pull-secrets.js';

/** What the kubelet needs of a container runtime, in plain values; cri-runtime.ts implements it over CRI runtime.v1. */
export type RuntimeContainerState = 'created' | 'running' | 'exited' | 'unknown';

export interface RuntimeMount {
  readonly containerPath: string;
  readonly hostPath: string;
  readonly readonly: boolean;
  /** So are the mounts below. */
  readonly recursiveReadOnly?: boolean;
  /** The files of an image, or what lies there at a path, instead of a folder of the node. */
  readonly image?: { readonly ref: string; readonly name: string; readonly subPath: string };
  /** Whether what is mounted later on one side is seen on the other; default: not. */
  readonly propagation?: MountPropagation;
}

export interface RuntimeContainer {
  readonly id: string;
  readonly sandboxId: string;
  readonly name: string;
  readonly state: RuntimeContainerState;
  /** As the pod names it. */
  readonly image: string;
  readonly imageRef: string;
  /** Id of the image in the runtime. */
  readonly imageId?: string;
  /** As the runtime says it has them now; undefined where it does not say. */
  readonly resources?: ContainerResources;
  readonly hash: string;
  readonly restartCount: number;
  readonly createdAtMs: number;
  /** 0 until started. */
  readonly startedAtMs: number;
  /** 0 until exited. */
  readonly finishedAtMs: number;
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string;
  readonly logPath: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly mounts: readonly RuntimeMount[];
  /** As whom its first process runs, where the runtime tells. */
  readonly user?: ContainerUser;
}

export interface RuntimeSandbox {
  readonly id: string;
  readonly attempt: number;
  readonly ready: boolean;
  readonly createdAtMs: number;
  /** Empty for host network pods. */
  readonly ips: readonly string[];
  readonly hostNetwork: boolean;
}

/** All that the runtime holds of one pod; both lists are newest first. */
export interface RuntimePod {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly sandboxes: readonly RuntimeSandbox[];
  readonly containers: readonly RuntimeContainer[];
}

export interface SandboxConfig {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly attempt: number;
  readonly hostname: string;
  readonly logDirectory: string;
  readonly hostNetwork: boolean;
  /** Whose processes a container sees: its own, the pod's, or the node's. */
  readonly pidMode: 'CONTAINER' | 'POD' | 'NODE';
  readonly hostIpc: boolean;
  /** Some container of the pod is privileged. */
  readonly privileged: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly dns: {
    readonly servers: readonly string[];
    readonly searches: readonly string[];
    readonly options: readonly string[];
  };
  readonly portMappings: readonly {
    readonly protocol: 'TCP' | 'UDP' | 'SCTP';
    readonly containerPort: number;
    readonly hostPort: number;
    readonly hostIp: string;
  }[];
  readonly sysctls: Readonly<Record<string, string>>;
  /** What all containers together may use. */
  readonly resources: PodResources;
}

/** Of a pod as a whole. */
export type PodResources = Omit<ContainerResources, 'oomScoreAdj'>;

export interface ContainerResources {
  readonly cpuShares: number;
  readonly cpuQuota: number;
  readonly cpuPeriod: number;
  readonly memoryLimitBytes: number;
  readonly oomScoreAdj: number;
}

export interface ContainerConfig {
  readonly name: string;
  readonly attempt: number;
  readonly imageRef: string;
  readonly userImage: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly workingDir: string;
  readonly envs: readonly { readonly key: string; readonly value: string }[];
  readonly mounts: readonly RuntimeMount[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Relative to the sandbox's logDirectory. */
  readonly logPath: string;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly tty: boolean;
  readonly resources: ContainerResources;
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  readonly supplementalGroups: readonly number[];
  /** Whether the groups that the image gives the user come to these; default: they do. */
  readonly supplementalGroupsPolicy?: 'Merge' | 'Strict';
  readonly privileged: boolean;
  readonly readonlyRootfs: boolean;
  /** `allowPrivilegeEscalation: false`. */
  readonly noNewPrivileges: boolean;
  readonly capabilities: {
    readonly add: readonly string[];
    readonly drop: readonly string[];
  };
}

export interface ExecResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

export interface StreamRequest {
  readonly containerId: string;
  readonly command: readonly string[];
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

export interface RuntimeHandler {
  readonly name: string;
  readonly recursiveReadOnlyMounts: boolean;
  readonly userNamespaces: boolean;
}

export interface RuntimeInfo {
  readonly name: string;
  readonly version: string;
  /** Of RuntimeClasses; that of no name is the default. */
  readonly handlers?: readonly RuntimeHandler[];
  /** Undefined where the runtime does not tell, as older ones. */
  readonly supplementalGroupsPolicy?: boolean;
}

export interface RuntimeCondition {
  readonly type: string;
  readonly status: boolean;
  readonly reason: string;
  readonly message: string;
}

export interface RuntimeImage {
  readonly id: string;
  readonly tags: readonly string[];
  readonly digests: readonly string[];
  readonly sizeBytes: number;
  /** Never collected. */
  readonly pinned?: boolean;
}

export interface ContainerUsage {
  readonly podUid: string;
  readonly podName: string;
  readonly podNamespace: string;
  readonly container: string;
  readonly containerId: string;
  readonly timestampMs: number;
  readonly cpuNanoCores: number;
  readonly cpuCoreNanoSeconds: number;
  readonly memoryWorkingSetBytes: number;
  readonly memoryUsageBytes: number;
  readonly memoryRssBytes: number;
  readonly writableLayerBytes: number;
  readonly writableLayerInodes: number;
  /** Undefined where the runtime does not tell, as the next. */
  readonly swapUsageBytes?: number;
  readonly pageFaults?: number;
  readonly majorPageFaults?: number;
  readonly pressure?: Pressure;
}

export interface NetworkInterface {
  readonly name: string;
  readonly rxBytes: number;
  readonly rxErrors: number;
  readonly txBytes: number;
  readonly txErrors: number;
}

/** What the containers of a pod use together, and its network where that is its own. */
export interface PodUsage {
  readonly podUid: string;
  readonly podName: string;
  readonly podNamespace: string;
  readonly timestampMs: number;
  readonly processCount: number;
  /** The main one first. */
  readonly interfaces: readonly NetworkInterface[];
  readonly pressure?: Pressure;
  readonly pageFaults?: number;
  readonly majorPageFaults?: number;
}

/** One value under a name of cAdvisor's. */
export interface RuntimeMetric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly sandboxId: string;
  /** '' = of the pod. */
  readonly containerId: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly timestampMs: number;
}

export interface ImageUser {
  readonly uid?: number;
  readonly username: string;
}

export interface Runtime {
  version(): Promise<RuntimeInfo>;
  status(): Promise<readonly RuntimeCondition[]>;
  updatePodCidr(podCidr: string): Promise<void>;
  listPods(): Promise<readonly RuntimePod[]>;
  /** Undefined when the runtime holds nothing of that pod. */
  getPod(uid: string): Promise<RuntimePod | undefined>;
  /** `handler` names the runtime that a RuntimeClass asks for; '' = the default one. */
  runSandbox(config: SandboxConfig, handler?: string): Promise<string>;
  stopSandbox(id: string): Promise<void>;
  removeSandbox(id: string): Promise<void>;
  createContainer(
    sandboxId: string,
    config: ContainerConfig,
    sandbox: SandboxConfig,
  ): Promise<string>;
  startContainer(id: string): Promise<void>;
  /** Resolves when the container has ended; it is killed after `graceSeconds`. */
  stopContainer(id: string, graceSeconds: number): Promise<void>;
  removeContainer(id: string): Promise<void>;
  updateContainerResources(id: string, resources: ContainerResources): Promise<void>;
  updatePodResources(sandboxId: string, resources: PodResources): Promise<void>;
  /** The log file was moved: a new one is begun. */
  reopenLog(id: string): Promise<void>;
  execSync(id: string, command: readonly string[], timeoutMs: number): Promise<ExecResult>;
  /** URLs of the runtime's streaming server. */
  exec(request: StreamRequest): Promise<string>;
  attach(request: Omit<StreamRequest, 'command'>): Promise<string>;
  portForward(sandboxId: string, ports: readonly number[]): Promise<string>;
  imageRef(image: string): Promise<string | undefined>;
  /** Bytes; 0 when it is not there. */
  imageSize(image: string): Promise<number>;
  /** Whom its containers run as when nothing else is said. */
  imageUser(image: string): Promise<ImageUser>;
  /** Rejects with RuntimeError. */
  pullImage(
    image: string,
    sandbox: SandboxConfig,
    credentials?: RegistryCredentials,
  ): Promise<string>;
  listImages(): Promise<readonly RuntimeImage[]>;
  removeImage(id: string): Promise<void>;
  /** Bytes that all images take. */
  imageBytes(): Promise<number>;
  usage(): Promise<readonly ContainerUsage[]>;
  podUsage(): Promise<readonly PodUsage[]>;
  /** What else the runtime measures; none where it does not. */
  metrics(): Promise<readonly RuntimeMetric[]>;
  /** Uids of pods of which something changed; '' when the pod is not known. Ends by throwing when the stream breaks. */
  changes(signal: AbortSignal): AsyncIterable<string>;
  close(): void;
}

export type RuntimeErrorCode =
  'NotFound' | 'Unimplemented' | 'Unavailable' | 'DeadlineExceeded' | 'Unknown';

/** A failed call of the runtime. */
export class RuntimeError extends Error {
  constructor(
    readonly code: RuntimeErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'RuntimeError';
  }
}

export const isRuntimeNotFound = (error: unknown): boolean =>
  error instanceof RuntimeError && error.code === 'NotFound';
export const isRuntimeUnimplemented = (error: unknown): boolean =>
  error instanceof RuntimeError && error.code === 'Unimplemented';

/** The newest container of that name. */
export function latestContainer(
  pod: RuntimePod | undefined,
  name: string,
): RuntimeContainer | undefined {
  return pod?.containers.find((container) => container.name === name);
}

export function readySandbox(pod: RuntimePod | undefined): RuntimeSandbox | undefined {
  return pod?.sandboxes.find((sandbox) => sandbox.ready);
}
