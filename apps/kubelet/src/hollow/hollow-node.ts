import type { Node, Pod } from '@orrery/api';
import { resources } from '@orrery/api';
import type { ObjectKey } from '@orrery/apimachinery';
import type { KubeClient } from '@orrery/client';
import type { Clock, Logger, Random } from '@orrery/component';
import type { InformerFactory } from '@orrery/informers';
import type { NodeTuning } from '../config/node-tuning.js';
import { hashContainer } from '../containers/hash.js';
import { containerResources } from '../containers/resources.js';
import { Kubelet } from '../kubelet.js';
import type { KubeletParts } from '../kubelet.js';
import type { Machine } from '../node/machine.js';
import { NodeAgent } from '../node/node-agent.js';
import { NodeLease } from '../node/node-lease.js';
import type { ConfigFactory } from '../pod-workers/container-starter.js';
import { HASH_ANNOTATION } from '../runtime/labels.js';
import type { Gate } from '../status/gate.js';
import type { KubeletMetrics } from '../metrics/kubelet-metrics.js';
import type { PodVolumes } from '../volumes/volume-manager.js';
import { recorderOf } from '../wiring.js';
import type { HollowFlags } from './hollow-flags.js';
import { LEASE_SECONDS, MAX_PODS, NODE_STATUS_MS, PORT, hollowOptions } from './hollow-options.js';
import { HollowRuntime } from './hollow-runtime.js';
import { PASSIVE, workOf } from './hollow-work.js';

type Recorder = NonNullable<KubeletParts['recorder']>;

/** What all nodes of a fleet share. */
export interface Fleet {
  readonly flags: HollowFlags;
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly informers: InformerFactory;
  readonly tuning: NodeTuning;
  /** Of all nodes together. */
  readonly metrics: KubeletMetrics;
  /** Statuses of pods, and what nodes and Leases are sent, wait here for their turn. */
  readonly statusGate: Gate;
  readonly nodeGate: Gate;
  /** Says how the runtimes of all nodes are. */
  readonly runtime: HollowRuntime;
  readonly signal: AbortSignal;
}

/** A fleet's nodes renew their Leases in rounds of this length, four in a Lease's life. */
export const ROUND_MS = (LEASE_SECONDS / 4) * 1000;

/** A machine that is not there does not change: the node is looked at each so many rounds, and whenever it changes. */
const LOOK_ROUNDS = 6;

const LABELS = { 'orrery.dev/hollow': 'true' };

const MACHINE: Machine = {
  cpus: 8,
  memoryBytes: 32 * 2 ** 30,
  availableMemoryBytes: 32 * 2 ** 30,
  ephemeralStorageBytes: 100 * 2 ** 30,
  availableStorageBytes: 100 * 2 ** 30,
  hostname: 'hollow',
  architecture: 'amd64',
  kernelVersion: '0.0.0',
  osImage: 'none (hollow node)',
  machineId: '',
  bootId: '',
};
const machine = (): Machine => MACHINE;

/** A node without machine is under no pressure, and never goes down. */
const CALM = {
  machine,
  plegHealthy: (): boolean => true,
  pressures: (): readonly string[] => [],
  shutdown: (): undefined => undefined,
  networkChanged: (): void => undefined,
};

const NO_EVENTS: Recorder = {
  event: () => undefined,
  flush: () => Promise.resolve(),
};

/** No container reads a file here. */
const NO_VOLUMES: PodVolumes = {
  mount: () => Promise.resolve(),
  mountsOf: () => new Map(),
  pluginsOf: () => [],
  refresh: () => Promise.resolve(),
  remove: () => Promise.resolve(),
  present: () => Promise.resolve([]),
};

/** What a runtime without processes keeps of a container. */
const hollowConfig: ConfigFactory = ({ pod, container }, imageRef, attempt) =>
  Promise.resolve({
    name: container.name,
    attempt,
    imageRef,
    userImage: container.image ?? '',
    command: [],
    args: [],
    workingDir: '',
    envs: [],
    mounts: [],
    labels: {},
    annotations: { [HASH_ANNOTATION]: hashContainer(container) },
    logPath: '',
    stdin: false,
    stdinOnce: false,
    tty: false,
    resources: containerResources(pod, container, MACHINE.memoryBytes),
    supplementalGroups: [],
    privileged: false,
    readonlyRootfs: false,
    noNewPrivileges: false,
    capabilities: { add: [], drop: [] },
  });

/**
 * One node of a fleet. While it has no pods it is its agent and its Lease alone, which the fleet's rounds give their turns;
 * with its first pod it gets a kubelet, with the pod workers that any node has.
 */
export class HollowNode {
  readonly agent: NodeAgent;
  private readonly lease: NodeLease;
  private kubelet: Kubelet | undefined;
  private running: Promise<void> | undefined;
  private recorder: Recorder | undefined;
  private podCidr: string;
  private runtime: HollowRuntime | undefined;
  private isBusy = false;
  private mustLook = true;
  private mustRenew = true;
  private rounds = 0;

  constructor(
    private readonly fleet: Fleet,
    private readonly index: number,
  ) {
    const { client, clock, logger } = fleet;
    const { nodeName } = this;
    // Where the cluster has no range left for the node, its pods still have addresses of their own.
    this.podCidr = `10.${64 + (index >> 8)}.${index & 255}.0/24`;
    this.agent = new NodeAgent(
      {
        nodeName,
        nodeIps: this.nodeIps,
        port: PORT,
        maxPods: MAX_PODS,
        labels: LABELS,
        taints: [],
        rootDir: '',
        updateMs: NODE_STATUS_MS,
        reserved: fleet.tuning.reserved,
      },
      {
        ...CALM,
        client,
        clock,
        logger,
        runtime: this,
        event: (node, reason, message) => this.tell(node, reason, message),
        woken: () => {
          this.mustLook = true;
          this.work();
        },
      },
    );
    const options = { nodeName, nodeLeaseSeconds: LEASE_SECONDS };
    this.lease = new NodeLease(client, options, () => this.agent.current, clock, logger);
  }

  get nodeName(): string {
    return `${this.fleet.flags.namePrefix}-${String(this.index).padStart(4, '0')}`;
  }

  private get nodeIps(): readonly string[] {
    return [`10.${192 + (this.index >> 8)}.${this.index & 255}.1`];
  }

  /** The round has come to this node. */
  turn(): void {
    this.mustRenew = true;
    this.mustLook ||= !this.agent.current || ++this.rounds % LOOK_ROUNDS === 0;
    this.work();
  }

  /** The API's newest word on a pod of this node; undefined = it is gone. */
  onPod(key: ObjectKey, pod: Pod | undefined): void {
    if (pod) this.kubelet ??= this.createKubelet();
    void this.kubelet?.sync.onApiPod(key, pod);
  }

  /** Resolves when what was begun has ended, after the fleet's signal. */
  async stopped(): Promise<void> {
    await this.running;
    await this.recorder?.flush();
  }

  version(): ReturnType<HollowRuntime['version']> {
    return this.fleet.runtime.version();
  }

  status(): ReturnType<HollowRuntime['status']> {
    return this.fleet.runtime.status();
  }

  listImages(): ReturnType<HollowRuntime['listImages']> {
    return this.fleet.runtime.listImages();
  }

  async updatePodCidr(podCidr: string): Promise<void> {
    this.podCidr = podCidr;
    await this.runtime?.updatePodCidr(podCidr);
  }

  /** Does what is due, one thing after another, when its turn has come among all nodes. */
  private work(): void {
    const { nodeGate, signal } = this.fleet;
    if (this.isBusy || signal.aborted) return;
    this.isBusy = true;
    void nodeGate(() => this.workOnce()).finally(() => {
      this.isBusy = false;
      if (this.mustLook) this.work();
    });
  }

  private async workOnce(): Promise<void> {
    const { signal } = this.fleet;
    if (this.mustLook) {
      this.mustLook = false;
      await this.agent.pass(signal);
    }
    if (!this.mustRenew || signal.aborted) return;
    this.mustRenew = false;
    await this.lease.tryRenew(signal);
  }

  private tell({ metadata: { name = '' } }: Node, reason: string, message: string): void {
    this.events().event({ kind: 'Node', name, uid: name }, 'Normal', reason, message);
  }

  private events(): Recorder {
    const { flags, client, clock, logger } = this.fleet;
    if (!flags.podEvents) return NO_EVENTS;
    const { nodeName } = this;
    this.recorder ??= recorderOf({ client, clock, logger, options: { nodeName } });
    return this.recorder;
  }

  private createKubelet(): Kubelet {
    const { flags, tuning, client, clock, random, logger, informers, statusGate, metrics, signal } =
      this.fleet;
    const runtime = new HollowRuntime(clock, (uid, name) =>
      workOf(kubelet.directory.get(uid), name),
    );
    this.runtime = runtime;
    void runtime.updatePodCidr(this.podCidr);
    const { nodeName, nodeIps } = this;
    const options = hollowOptions(flags, { nodeName, nodeIps, labels: LABELS, tuning });
    const kubelet: Kubelet = new Kubelet(options, {
      client,
      runtime,
      clock,
      random,
      logger,
      informers,
      node: this.agent,
      sourcesReady: () => informers.informer(resources.pods).hasSynced,
      volumes: NO_VOLUMES,
      machine,
      hollow: true,
      statusGate,
      metrics,
      recorder: this.events(),
      makeConfig: hollowConfig,
      ...PASSIVE,
    });
    this.running = kubelet.prepareStart().then(() => kubelet.start(signal));
    return kubelet;
  }
}
