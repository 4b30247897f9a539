import { setMaxListeners } from 'node:events';
import type { Node, Pod } from '@orrery/api';
import { resources } from '@orrery/api';
import type { KubeClient } from '@orrery/client';
import { createLogger } from '@orrery/component';
import type { Clock, Logger, Random } from '@orrery/component';
import type { ApiEventRecorder } from '@orrery/controller';
import { InformerFactory } from '@orrery/informers';
import type { KubeletOptions } from './config/kubelet-options.js';
import type { EnvContext } from './containers/env.js';
import { ObjectWatches } from './containers/object-watches.js';
import { isStaticPod, uidOf } from './containers/visit.js';
import { KubeletMetrics } from './metrics/kubelet-metrics.js';
import { PodStarts } from './metrics/pod-starts.js';
import type { Machine } from './node/machine.js';
import type { NodeAgent } from './node/node-agent.js';
import type { NodeCare } from './node/node-care.js';
import { NodeLease } from './node/node-lease.js';
import { Pleg } from './pleg/pleg.js';
import { PodCache } from './pleg/pod-cache.js';
import { Housekeeping } from './garbage-collection/housekeeping.js';
import type { LifecycleHooks } from './pod-workers/lifecycle-hooks.js';
import { PodDirectory } from './pod-sources/pod-directory.js';
import { recordPodEvents } from './pod-workers/pod-events.js';
import type { PodEvents } from './pod-workers/pod-events.js';
import { PodSync } from './pod-sources/pod-sync.js';
import type { ImageAccess } from './images/image-access.js';
import type { ConfigFactory } from './pod-workers/container-starter.js';
import type { KubeletHooks } from './pod-workers/kubelet-hooks.js';
import type { PodWorkers } from './pod-workers/pod-workers.js';
import { ProbeManager } from './probes/probe-manager.js';
import { Prober } from './probes/prober.js';
import type { PodResizer } from './resize/pod-resizer.js';
import { resizeRequests } from './resize/resize-requests.js';
import { readySandbox } from './runtime/runtime.js';
import type { Runtime } from './runtime/runtime.js';
import { ManifestSource } from './static-pods/manifest-source.js';
import { MirrorClient } from './static-pods/mirror-client.js';
import type { Gate } from './status/gate.js';
import { PodReporter } from './status/pod-reporter.js';
import { apiPodWriter } from './status/pod-writer.js';
import { StatusManager } from './status/status-manager.js';
import { TokenManager } from './volumes/token-manager.js';
import type { PodVolumes } from './volumes/volume-manager.js';
import {
  careOf,
  createNode,
  hooksOf,
  imageAccessOf,
  recorderOf,
  resizerOf,
  volumesOf,
  workersOf,
} from './wiring.js';
import { sortPodIps } from './status/pod-ips.js';

type Recorder = Pick<ApiEventRecorder, 'event' | 'flush'>;

export interface KubeletParts {
  readonly client: KubeClient;
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger;
  /** What speaks to containers; default the real ones. A node without processes has others. */
  readonly prober?: Pick<Prober, 'probe'>;
  readonly hooks?: Pick<LifecycleHooks, 'run'>;
  readonly machine?: () => Machine;
  readonly volumes?: PodVolumes;
  /** Caches that several kubelets of one process share; `sourcesReady` then says when they are filled. */
  readonly informers?: InformerFactory;
  readonly sourcesReady?: () => boolean;
  /** Who writes the statuses of pods waits here, when the kubelets of a process share it. */
  readonly statusGate?: Gate;
  /** Where events go; default: to the API server. */
  readonly recorder?: Recorder;
  /** What the runtime is told of a container; default: all of it. */
  readonly makeConfig?: ConfigFactory;
  /** Default: its own. */
  readonly metrics?: KubeletMetrics;
  /** Whoever makes many kubelets may run what speaks for their nodes. */
  readonly node?: NodeAgent;
  /** A node without machine: nothing is evicted, collected or rotated, and it is looked at less often. */
  readonly hollow?: boolean;
}

/** Tokens are renewed in files this often; everything else in volumes changes when its object does. */
const TOKEN_REFRESH_MS = 30_000;
const MIRROR_PERIOD_MS = 2_000;
/** What nobody but the kubelet itself can change need not be compared often. */
const HOLLOW_SWEEP_MS = 10_000;
const HOLLOW_RELIST_MS = 60_000;

/** One node's agent: built of plain parts, without global state, so that one process can hold many. */
export class Kubelet {
  readonly startedAtMs: number;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly client: KubeClient;
  readonly metrics: KubeletMetrics;
  readonly podStarts: PodStarts;
  readonly imageAccess: ImageAccess;
  readonly runtime: Runtime;
  readonly informers: InformerFactory;
  readonly directory = new PodDirectory();
  readonly cache = new PodCache();
  readonly node: NodeAgent;
  readonly statuses: StatusManager;
  readonly sync: PodSync;
  readonly workers: PodWorkers;
  readonly care: NodeCare;
  readonly probes: ProbeManager;
  private readonly stop = new AbortController();
  readonly events: PodEvents;
  private readonly recorder: Recorder;
  readonly pleg: Pleg;
  readonly volumes: PodVolumes;
  readonly watches: ObjectWatches;
  readonly resizer: PodResizer;
  readonly hooks: KubeletHooks;
  readonly tokens: TokenManager;
  readonly reporter: PodReporter;
  private readonly mirrors: MirrorClient;
  private readonly manifests: ManifestSource | undefined;

  constructor(
    readonly options: KubeletOptions,
    readonly parts: KubeletParts,
  ) {
    const { client, runtime, clock, random } = parts;
    // Each pod and each probe waits for it.
    setMaxListeners(0, this.stop.signal);
    this.clock = clock;
    this.startedAtMs = clock.now();
    this.client = client;
    this.runtime = runtime;
    this.logger =
      parts.logger ?? createLogger({ component: 'kubelet' }).child({ node: options.nodeName });
    const { logger } = this;
    this.metrics = parts.metrics ?? new KubeletMetrics();
    this.podStarts = new PodStarts(this.metrics.pods, clock);
    this.imageAccess = imageAccessOf(this);
    this.informers = parts.informers ?? new InformerFactory({ client, clock, random, logger });
    this.informers.informer(resources.services);
    this.recorder = parts.recorder ?? recorderOf(this);
    this.events = recordPodEvents(this.recorder);
    this.pleg = new Pleg(runtime, this.cache, clock, logger, {
      ...(parts.hollow ? { relistMs: HOLLOW_RELIST_MS } : {}),
      metrics: this.metrics.runtime,
    });
    this.watches = this.createWatches();
    this.tokens = new TokenManager(client, clock);
    this.volumes = parts.volumes ?? volumesOf(this);
    this.resizer = resizerOf(this);
    this.care = careOf(this);
    this.node = parts.node ?? createNode(this);
    this.mirrors = new MirrorClient(
      client,
      this.directory,
      () => this.node.current,
      (pod) => this.statuses.resend(uidOf(pod)),
      logger,
    );
    this.statuses = this.createStatuses();
    this.probes = this.createProbes();
    this.reporter = new PodReporter({
      clock,
      directory: this.directory,
      statuses: this.statuses,
      probes: this.probes,
      hostIps: options.nodeIps,
      resizer: this.resizer,
      runtimeName: () => this.node.runtimeName,
      recursiveReadOnly: () => this.node.handler?.recursiveReadOnlyMounts === true,
    });
    this.hooks = hooksOf(this);
    this.workers = workersOf(this);
    this.sync = this.createSync();
    this.manifests = this.createManifests();
    this.cache.setListener((uid) => this.workers.wake(uid));
  }

  async prepareStart(): Promise<void> {
    await this.node.lookAtRuntime();
    await this.pleg.relist().catch(() => undefined);
  }

  /** Runs all loops until the signal aborts; containers are left running. */
  async start(signal: AbortSignal): Promise<void> {
    const { clock, logger, options, parts } = this;
    const { runtime, cache, directory, workers } = this;
    const housekeeping = new Housekeeping({
      runtime,
      cache,
      directory,
      workers,
      clock,
      logger,
      paths: options.paths,
      volumes: this.volumes,
      metrics: this.metrics.volumes,
      sourcesReady: () => this.sourcesReady(),
      ...(parts.hollow ? { periodMs: HOLLOW_SWEEP_MS } : {}),
    });
    signal.addEventListener('abort', () => this.stop.abort(), { once: true });
    const own = this.stop.signal;
    if (signal.aborted) this.stop.abort();
    const machine = [
      () => this.care.start(own),
      () => this.every(TOKEN_REFRESH_MS, () => this.refreshVolumes(this.workers.active())),
      () => this.every(MIRROR_PERIOD_MS, () => this.mirrors.reconcile()),
    ];
    await Promise.all([
      this.pleg.start(own),
      ...(parts.node ? [] : [this.node.start(own), this.createLease().start(own)]),
      housekeeping.start(own),
      this.manifests?.start(own),
      ...(parts.hollow ? [] : machine.map((loop) => loop())),
    ]);
    // A termination under way is left to the next kubelet, which starts its grace period anew.
    await Promise.race([this.workers.stopped(), clock.sleep(500)]);
    this.watches.stop();
    await this.probes.stop();
    this.statuses.stop();
    await Promise.race([
      Promise.all([this.statuses.settled(), this.recorder.flush()]),
      clock.sleep(1_000),
    ]);
  }

  /** Aborts when the kubelet stops. */
  get stopSignal(): AbortSignal {
    return this.stop.signal;
  }

  isHealthy(): boolean {
    return this.pleg.isHealthy();
  }

  sourcesReady(): boolean {
    const { sourcesReady } = this.parts;
    if (sourcesReady) return sourcesReady();
    return (
      (this.manifests?.ready ?? true) &&
      this.informers.peek(resources.pods, this.podScope)?.hasSynced === true
    );
  }

  get podScope(): { readonly fieldSelector: string } {
    return { fieldSelector: `spec.nodeName=${this.options.nodeName}` };
  }

  get nodeScope(): { readonly fieldSelector: string } {
    return { fieldSelector: `metadata.name=${this.options.nodeName}` };
  }

  private async every(periodMs: number, work: () => Promise<void>): Promise<void> {
    const { signal } = this.stop;
    while (!signal.aborted) {
      await work().catch((error: unknown) => {
        this.logger.warn('periodic work failed', { error: String(error) });
      });
      await this.clock.sleep(periodMs, signal).catch(() => undefined);
    }
  }

  private async refreshVolumes(pods: readonly Pod[]): Promise<void> {
    for (const pod of pods)
      await this.volumes.refresh(pod).catch((error: unknown) => {
        this.logger.warn('volumes not refreshed', { pod: pod.metadata.name, error: String(error) });
      });
  }

  /** Files follow at once; a pod that waits for the object goes on. */
  private async onObjectChange(uids: readonly string[]): Promise<void> {
    await this.refreshVolumes(this.workers.active().filter((pod) => uids.includes(uidOf(pod))));
    for (const uid of uids) this.workers.wake(uid);
  }

  /** What containers and files of the pod are told of the cluster. */
  envContext(pod: Pod): EnvContext {
    const ips = readySandbox(this.cache.get(uidOf(pod)))?.ips ?? [];
    return {
      config: this.watches,
      services: this.informers.informer(resources.services).lister.list(),
      addresses: {
        podIps: pod.spec.hostNetwork ? this.options.nodeIps : sortPodIps(ips, this.options.nodeIps),
        hostIps: this.options.nodeIps,
      },
      allocatable: this.node.allocatable(),
      clusterDomain: this.options.clusterDomain,
    };
  }

  private createWatches(): ObjectWatches {
    const { client, clock, logger, parts } = this;
    return new ObjectWatches({
      client,
      clock,
      random: parts.random,
      logger,
      changed: (uids) => {
        void this.onObjectChange(uids);
      },
    });
  }

  private createLease(): NodeLease {
    const { client, options, clock, logger } = this;
    return new NodeLease(client, options, () => this.node.current, clock, logger);
  }

  nodeEvent(
    { metadata: { name = '' } }: Node,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
  ): void {
    this.recorder.event({ kind: 'Node', name, uid: name }, type, reason, message);
  }

  private createStatuses(): StatusManager {
    return new StatusManager(
      apiPodWriter(this.client),
      { apiPod: (pod) => (isStaticPod(pod) ? this.directory.mirrorOf(pod) : pod) },
      this.logger,
      (ms, callback) => {
        this.clock.after(ms, callback, { unref: true });
      },
      { gate: this.parts.statusGate, changed: () => this.statusTimer() },
    );
  }

  private statusTimer(): () => void {
    const startedMs = this.clock.monotonic();
    return () => {
      this.metrics.pods.statusSync.observe((this.clock.monotonic() - startedMs) / 1000);
    };
  }

  private createProbes(): ProbeManager {
    return new ProbeManager({
      prober: this.parts.prober ?? new Prober(this.runtime),
      clock: this.clock,
      events: this.events,
      metrics: this.parts.hollow ? undefined : this.metrics.probes,
      runtimePod: (uid) => this.cache.get(uid),
      changed: (uid) => this.workers.probed(uid),
    });
  }

  private createSync(): PodSync {
    const { directory, workers, statuses, probes, mirrors } = this;
    return new PodSync({
      directory,
      workers,
      statuses,
      probes,
      mirrors,
      adopt: (pod) => {
        const all = [
          ...(pod.status?.initContainerStatuses ?? []),
          ...(pod.status?.containerStatuses ?? []),
        ];
        for (const { containerID = '', started = false, ready } of all)
          this.probes.adopt(containerID.slice(containerID.indexOf('://') + 3), { started, ready });
      },
      forget: (pod) => {
        this.hooks.forget(pod);
        this.podStarts.forget(uidOf(pod));
      },
      changed: (pod, before) => {
        this.podStarts.observed(pod);
        for (const one of before ? resizeRequests(before, pod) : [])
          this.metrics.resizes.requested.inc({ ...one });
      },
    });
  }

  private createManifests(): ManifestSource | undefined {
    const { manifestPath, nodeName } = this.options;
    if (manifestPath === undefined) return undefined;
    const handler = {
      onPod: (pod: Pod): void => this.sync.onPod(pod),
      onGone: (pod: Pod): void => this.sync.onGone(pod),
    };
    return new ManifestSource(manifestPath, nodeName, handler, this.clock, this.logger);
  }
}
