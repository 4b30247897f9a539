import type { Node, NodeStatus, Taint } from '@orrery/api';
import { resources } from '@orrery/api';
import { isAlreadyExists, isNotFound } from '@orrery/apimachinery';
import type { KubeClient } from '@orrery/client';
import { toTime } from '@orrery/component';
import type { Clock, Logger } from '@orrery/component';
import type { Runtime, RuntimeCondition, RuntimeHandler, RuntimeInfo } from '../runtime/runtime.js';
import { readMachine } from './machine.js';
import type { Machine } from './machine.js';
import { sameNodeStatus, statusPatch } from './node-status-changes.js';
import { allocatableOf, extendedOf, nodeStatus, runtimeProblems } from './node-status.js';

export interface NodeOptions {
  readonly nodeName: string;
  readonly nodeIps: readonly string[];
  readonly port: number;
  readonly maxPods: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly rootDir: string;
  readonly updateMs: number;
  readonly reserved: Readonly<Record<string, number>>;
}

export interface NodeAgentParts {
  readonly client: KubeClient;
  readonly runtime: Pick<Runtime, 'version' | 'status' | 'listImages' | 'updatePodCidr'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What the node is said to have; default: what this machine has. */
  readonly machine?: () => Machine;
  plegHealthy(): boolean;
  pressures(): readonly string[];
  /** Why the node goes down, else undefined. */
  shutdown(): string | undefined;
  /** A node-level event, e.g. Starting, NodeReady. */
  event(node: Node, reason: string, message: string): void;
  /** The pod network came up or went down. */
  networkChanged(): void;
  /** A first attempt to register begins, or one has made the node. */
  registration?(state: 'begun' | 'done'): void;
  /** There is news: for whoever calls `pass` instead of `start`. */
  woken?(): void;
}

/** How pods of the node get addresses; only in the mode `loopback` no agent of the network says whether it is there. */
const NETWORK_ANNOTATION = 'orrery.dev/network';

const LOOK_MS = 1_000;
/** A runtime that does not answer is starting, most of the time: it is asked again soon. */
const RETRY_MS = 100;
/** Unchanged status is sent this often (k8s nodeStatusReportFrequency 5 m); the Lease is the heartbeat. */
const REPORT_MS = 300_000;

/** Said once at registration (k8s pkg/kubelet/nodestatus/setters.go). */
const HEALTHY_REASONS = [
  'NodeHasSufficientMemory',
  'NodeHasNoDiskPressure',
  'NodeHasSufficientPID',
] as const;

/** Registers the node, keeps its status true and gives the pod CIDR to the runtime. */
export class NodeAgent {
  private node: Node | undefined;
  private info: RuntimeInfo | undefined;
  private conditions: readonly RuntimeCondition[] | undefined;
  private appliedCidr = '';
  /** 0 = the server has no status of this agent's. */
  private lastSentMs = 0;
  /** News that came while the last ones were dealt with. */
  private isWoken = false;
  private endIdle: () => void = () => undefined;

  constructor(
    private readonly options: NodeOptions,
    private readonly parts: NodeAgentParts,
  ) {}

  get current(): Node | undefined {
    return this.node;
  }

  get runtimeName(): string {
    return this.info?.name ?? 'orrery';
  }

  /** What the default runtime handler can do; undefined before the runtime has answered. */
  get handler(): RuntimeHandler | undefined {
    return this.info?.handlers?.find(({ name }) => name === '');
  }

  /** Whether groups of images can be left out; undefined before the runtime has answered. */
  get hasGroupsPolicy(): boolean | undefined {
    return this.info && this.info.supplementalGroupsPolicy === true;
  }

  allocatable(): Readonly<Record<string, string>> {
    const own = allocatableOf(this.machine(), this.options.maxPods, this.options.reserved);
    return { ...own, ...extendedOf(this.node?.status ?? {}, own) };
  }

  memoryCapacity(): number {
    return this.machine().memoryBytes;
  }

  /** Upstream's text while pods cannot have a network, else undefined. */
  networkProblem(): string | undefined {
    return runtimeProblems(this.conditions)[0];
  }

  /** News of the node object from its watch. */
  observe(node: Node | undefined): void {
    if (node && isOlder(node, this.node)) return;
    this.node = node;
    this.refresh();
  }

  async start(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.pass(signal);
      await this.idle(signal);
    }
  }

  /** Looks at runtime and node once, and does and says what follows; a failure is for the next time. */
  async pass(signal: AbortSignal): Promise<void> {
    this.isWoken = false;
    try {
      await this.lookAtRuntime();
      if (!this.node) await this.register();
      await this.applyPodCidr();
      await this.reportStatus();
    } catch (error) {
      if (signal.aborted) return;
      this.parts.logger.warn('node status not updated', {
        node: this.options.nodeName,
        error: String(error),
      });
    }
  }

  /** Something that the status shows has changed. */
  refresh(): void {
    this.isWoken = true;
    this.endIdle();
    this.parts.woken?.();
  }

  private idle(signal: AbortSignal): Promise<void> {
    if (this.isWoken || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const waitMs = this.conditions && this.parts.plegHealthy() ? LOOK_MS : RETRY_MS;
      const cancel = this.parts.clock.after(waitMs, () => done());
      const done = (): void => {
        cancel();
        signal.removeEventListener('abort', done);
        this.endIdle = () => undefined;
        resolve();
      };
      signal.addEventListener('abort', done, { once: true });
      this.endIdle = done;
    });
  }

  machine(): Machine {
    return this.parts.machine?.() ?? readMachine(this.options.rootDir);
  }

  /** Asks the runtime how it and its network are. */
  async lookAtRuntime(): Promise<void> {
    const before = this.networkProblem();
    try {
      this.info ??= await this.parts.runtime.version();
      this.conditions = await this.parts.runtime.status();
    } catch {
      this.conditions = undefined;
    }
    if (before !== this.networkProblem()) this.parts.networkChanged();
  }

  private async applyPodCidr(): Promise<void> {
    const { podCIDR = '', podCIDRs = [podCIDR] } = this.node?.spec ?? {};
    const cidr = podCIDRs.join(',');
    if (cidr === '' || !this.conditions) return;
    const networkDown = this.conditions.some((one) => one.type === 'NetworkReady' && !one.status);
    if (cidr === this.appliedCidr && !networkDown) return;
    await this.parts.runtime.updatePodCidr(cidr);
    this.appliedCidr = cidr;
    await this.lookAtRuntime();
  }

  private async register(): Promise<void> {
    const nodes = this.parts.client.resource(resources.nodes);
    const { nodeName, labels, annotations = {}, taints } = this.options;
    const machine = this.machine();
    const standard = {
      'kubernetes.io/hostname': nodeName,
      'kubernetes.io/os': 'linux',
      'kubernetes.io/arch': machine.architecture,
      'beta.kubernetes.io/os': 'linux',
      'beta.kubernetes.io/arch': machine.architecture,
    };
    this.parts.registration?.('begun');
    try {
      this.node = await nodes.create({
        apiVersion: 'v1',
        kind: 'Node',
        metadata: {
          name: nodeName,
          labels: { ...standard, ...labels },
          annotations: {
            'volumes.kubernetes.io/controller-managed-attach-detach': 'true',
            ...annotations,
          },
        },
        spec: taints.length > 0 ? { taints: [...taints] } : {},
        status: await this.freshStatus(undefined),
      });
      this.lastSentMs = this.parts.clock.monotonic();
      this.parts.registration?.('done');
      this.parts.logger.info('node registered', { node: nodeName });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      const found = await nodes.get({ name: nodeName });
      const metadata = {
        ...missing('labels', found, { ...standard, ...labels }),
        ...missing('annotations', found, annotations),
      };
      this.node =
        Object.keys(metadata).length === 0
          ? found
          : await nodes.patch({ name: nodeName }, 'strategic', { metadata });
      this.lastSentMs = 0;
    }
    this.parts.event(this.node, 'Starting', 'Starting kubelet.');
    for (const reason of HEALTHY_REASONS)
      this.parts.event(this.node, reason, `Node ${nodeName} status is now: ${reason}`);
  }

  private async freshStatus(old: Node | undefined): Promise<NodeStatus> {
    const { nodeName, nodeIps, port, maxPods, reserved, annotations } = this.options;
    const images = this.conditions ? await this.parts.runtime.listImages().catch(() => []) : [];
    return nodeStatus(
      {
        machine: this.machine(),
        runtime: this.info,
        runtimeConditions: this.conditions,
        plegHealthy: this.parts.plegHealthy(),
        images,
        nodeName,
        nodeIps,
        emulatesNetwork: annotations?.[NETWORK_ANNOTATION] === 'loopback',
        port,
        maxPods,
        reserved,
        pressures: this.parts.pressures(),
        shutdown: this.parts.shutdown(),
        now: toTime(this.parts.clock.now()),
      },
      old,
    );
  }

  /** On change at once; else heartbeats of the conditions at the reporting interval. */
  private async reportStatus(): Promise<void> {
    const { node } = this;
    if (!node) return;
    const now = this.parts.clock.monotonic();
    const due =
      this.lastSentMs === 0 ||
      now - this.lastSentMs >= Math.min(REPORT_MS, this.options.updateMs * 30);
    const status = await this.freshStatus(node);
    if (!due && sameNodeStatus(node.status ?? {}, status)) return;
    try {
      this.node = await this.parts.client
        .resource(resources.nodes)
        .patch(
          { name: this.options.nodeName },
          'strategic',
          { metadata: { uid: node.metadata.uid }, status: statusPatch(node.status ?? {}, status) },
          { subresource: 'status' },
        );
      this.lastSentMs = now;
      this.announce(node, this.node);
    } catch (error) {
      if (!isNotFound(error)) throw error;
      this.node = undefined;
    }
  }

  private announce(before: Node, after: Node): void {
    this.announcePressure(before, after);
    const ready = (node: Node): string | undefined =>
      node.status?.conditions?.find((one) => one.type === 'Ready')?.status;
    if (ready(before) === ready(after)) return;
    const name = this.options.nodeName;
    if (ready(after) === 'True')
      this.parts.event(after, 'NodeReady', `Node ${name} status is now: NodeReady`);
    else if (ready(before) === 'True')
      this.parts.event(after, 'NodeNotReady', `Node ${name} status is now: NodeNotReady`);
  }

  private announcePressure(before: Node, after: Node): void {
    for (const { type, status, reason = '' } of after.status?.conditions ?? []) {
      const event = EVENTS[reason];
      const old = before.status?.conditions?.find((one) => one.type === type);
      if (event && old && old.status !== status)
        this.parts.event(after, event, `Node ${this.options.nodeName} status is now: ${event}`);
    }
  }
}

/** Reasons of the conditions other than Ready are what their events are called. */
const EVENTS: Readonly<Record<string, string>> = {
  KubeletHasInsufficientMemory: 'NodeHasInsufficientMemory',
  KubeletHasSufficientMemory: 'NodeHasSufficientMemory',
  KubeletHasDiskPressure: 'NodeHasDiskPressure',
  KubeletHasNoDiskPressure: 'NodeHasNoDiskPressure',
  KubeletHasInsufficientPID: 'NodeHasInsufficientPID',
  KubeletHasSufficientPID: 'NodeHasSufficientPID',
};

/** A late watch shows what was before our own last write: acting on it would write that again. */
const isOlder = (shown: Node, known: Node | undefined): boolean =>
  known?.metadata.uid === shown.metadata.uid &&
  Number(shown.metadata.resourceVersion ?? 0) < Number(known?.metadata.resourceVersion ?? 0);

/** What a node that is there lacks of its labels or annotations, as a part of a patch. */
function missing(
  field: 'labels' | 'annotations',
  { metadata }: Node,
  wanted: Readonly<Record<string, string>>,
): Readonly<Record<string, unknown>> {
  const lacking = Object.entries(wanted).filter(([key, value]) => metadata[field]?.[key] !== value);
  return lacking.length === 0 ? {} : { [field]: Object.fromEntries(lacking) };
}
