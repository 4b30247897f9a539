import type { Node, Pod } from '@orrery/api';
import { resources } from '@orrery/api';
import type { KubeClient } from '@orrery/client';
import { createLogger } from '@orrery/component';
import type { Clock, Logger, Random } from '@orrery/component';
import { ApiEventRecorder } from '@orrery/controller';
import { InformerFactory } from '@orrery/informers';
import type { KubeletOptions } from './config/kubelet-options.js';
import { ApiConfigReader } from './containers/config-reader.js';
import { makeContainerConfig } from './containers/container-config.js';
import type { EnvContext } from './containers/env.js';
import { isStaticPod, uidOf } from './containers/visit.js';
import { ImagePuller } from './images/image-puller.js';
import type { Machine } from './node/machine.js';
import { NodeAgent } from './node/node-agent.js';
import { NodeLease } from './node/node-lease.js';
import { Pleg } from './pleg/pleg.js';
import { PodCache } from './pleg/pod-cache.js';
import { admit } from './pod-workers/admission.js';
import { ContainerStarter } from './pod-workers/container-starter.js';
import { Housekeeping } from './pod-workers/housekeeping.js';
import { LifecycleHooks } from './pod-workers/lifecycle-hooks.js';
import { PodDirectory } from './pod-workers/pod-directory.js';
import { recordPodEvents } from './pod-workers/pod-events.js';
import type { PodEvents } from './pod-workers/pod-events.js';
import { PodKiller } from './pod-workers/pod-killer.js';
import { PodSync } from './pod-workers/pod-sync.js';
import type { WorkerHooks } from './pod-workers/pod-worker.js';
import { PodWorkers } from './pod-workers/pod-workers.js';
import { sandboxConfig } from './pod-workers/sandbox-config.js';
import { ProbeManager } from './probes/probe-manager.js';
import { Prober } from './probes/prober.js';
import { readySandbox } from './runtime/runtime.js';
import type { Runtime } from './runtime/runtime.js';
import { ManifestSource } from './static-pods/manifest-source.js';
import { MirrorClient } from './static-pods/mirror-client.js';
import { PodReporter } from './status/pod-reporter.js';
import { apiPodWriter } from './status/pod-writer.js';
import { StatusManager } from './status/status-manager.js';
import { TokenManager } from './volumes/token-manager.js';
import { VolumeManager } from './volumes/volume-manager.js';

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
}

const VOLUME_REFRESH_MS = 10_000;
const MIRROR_PERIOD_MS = 2_000;

/** One node's agent: built of plain parts, without global state, so that one process can hold many. */
export class Kubelet {
  readonly logger: Logger;
  readonly clock: Clock;
  readonly client: KubeClient;
  readonly runtime: Runtime;
  readonly informers: InformerFactory;
  readonly directory = new PodDirectory();
  readonly cache = new PodCache();
  readonly node: NodeAgent;
  readonly statuses: StatusManager;
  readonly sync: PodSync;
  readonly workers: PodWorkers;
  private readonly stop = new AbortController();
  private readonly events: PodEvents;
  private readonly recorder: ApiEventRecorder;
  private readonly pleg: Pleg;
  private readonly probes: ProbeManager;
  private readonly volumes: VolumeManager;
  private readonly tokens: TokenManager;
  private readonly reporter: PodReporter;
  private readonly mirrors: MirrorClient;
  private readonly manifests: ManifestSource | undefined;
  private readonly config: ApiConfigReader;
  private readonly admittedPods = new Set<string>();

  constructor(
    readonly options: KubeletOptions,
    private readonly parts: KubeletParts,
  ) {
    const { client, runtime, clock, random } = parts;
    this.clock = clock;
    this.client = client;
    this.runtime = runtime;
    this.logger =
      parts.logger ?? createLogger({ component: 'kubelet' }).child({ node: options.nodeName });
    const { logger } = this;
    this.informers = new InformerFactory({ client, clock, random, logger });
    this.informers.informer(resources.services);
    this.recorder = new ApiEventRecorder({
      client,
      component: 'kubelet',
      host: options.nodeName,
      clock,
      logger,
    });
    this.events = recordPodEvents(this.recorder);
    this.pleg = new Pleg(runtime, this.cache, clock, logger);
    this.config = new ApiConfigReader(client);
    this.tokens = new TokenManager(client, clock);
    this.volumes = new VolumeManager(options.paths, (pod) => ({
      env: this.envContext(pod),
      token: (input) => this.tokens.get(input),
    }));
    this.node = this.createNode();
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
      runtimeName: () => this.node.runtimeName,
    });
    this.workers = this.createWorkers();
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
    const { client, clock, logger, options } = this;
    const lease = new NodeLease(client, options, () => this.node.current, clock, logger);
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
      sourcesReady: () => this.sourcesReady(),
    });
    signal.addEventListener('abort', () => this.stop.abort(), { once: true });
    const own = this.stop.signal;
    if (signal.aborted) this.stop.abort();
    await Promise.all([
      this.pleg.start(own),
      this.node.start(own),
      lease.start(own),
      housekeeping.start(own),
      this.manifests?.start(own),
      this.every(VOLUME_REFRESH_MS, () => this.refreshVolumes()),
      this.every(MIRROR_PERIOD_MS, () => this.mirrors.reconcile()),
    ]);
    // A termination under way is left to the next kubelet, which starts its grace period anew.
    await Promise.race([this.workers.stopped(), clock.sleep(500)]);
    await this.probes.stop();
    this.statuses.stop();
    await Promise.race([
      Promise.all([this.statuses.settled(), this.recorder.flush()]),
      clock.sleep(1_000),
    ]);
  }

  isHealthy(): boolean {
    return this.pleg.isHealthy();
  }

  sourcesReady(): boolean {
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

  private async refreshVolumes(): Promise<void> {
    for (const pod of this.workers.active())
      await this.volumes.refresh(pod).catch((error: unknown) => {
        this.logger.warn('volumes not refreshed', { pod: pod.metadata.name, error: String(error) });
      });
  }

  private envContext(pod: Pod): EnvContext {
    const ips = readySandbox(this.cache.get(uidOf(pod)))?.ips ?? [];
    return {
      config: this.config,
      services: this.informers.informer(resources.services).lister.list(),
      addresses: {
        podIps: pod.spec.hostNetwork ? this.options.nodeIps : ips,
        hostIps: this.options.nodeIps,
      },
      allocatable: this.node.allocatable(),
    };
  }

  private createNode(): NodeAgent {
    const { options, client, runtime, clock, logger } = this;
    return new NodeAgent(
      { ...options, rootDir: options.paths.rootDir, updateMs: options.nodeStatusUpdateMs },
      {
        client,
        runtime,
        clock,
        logger,
        ...(this.parts.machine && { machine: this.parts.machine }),
        plegHealthy: () => this.pleg.isHealthy(),
        event: (node: Node, reason, message) => {
          const reference = {
            kind: 'Node',
            name: node.metadata.name ?? '',
            uid: node.metadata.name ?? '',
          };
          this.recorder.event(reference, 'Normal', reason, message);
        },
        networkChanged: () => this.workers.wakeAll(),
      },
    );
  }

  private createStatuses(): StatusManager {
    return new StatusManager(
      apiPodWriter(this.client),
      { apiPod: (pod) => (isStaticPod(pod) ? this.directory.mirrorOf(pod) : pod) },
      this.logger,
      (ms, callback) => {
        this.clock.after(ms, callback, { unref: true });
      },
    );
  }

  private createProbes(): ProbeManager {
    return new ProbeManager({
      prober: this.parts.prober ?? new Prober(this.runtime),
      clock: this.clock,
      events: this.events,
      runtimePod: (uid) => this.cache.get(uid),
      changed: (uid) => this.workers.wake(uid),
    });
  }

  private createWorkers(): PodWorkers {
    const { clock, logger, runtime, events, options } = this;
    const hooks = this.parts.hooks ?? new LifecycleHooks(runtime, clock);
    const starter = new ContainerStarter({
      runtime,
      images: new ImagePuller(runtime, () => clock.now()),
      hooks,
      events,
      makeConfig: ({ pod, container }, imageRef, attempt) =>
        makeContainerConfig({
          pod,
          container,
          attempt,
          imageRef,
          volumes: this.volumes.mountsOf(pod),
          env: this.envContext(pod),
          paths: options.paths,
          memoryCapacity: this.node.memoryCapacity(),
        }),
      now: () => clock.now(),
    });
    const killer = new PodKiller({ runtime, hooks, events, clock, logger });
    return new PodWorkers(
      {
        clock,
        logger,
        runtime,
        starter,
        killer,
        events,
        probes: this.probes,
        hooks: this.workerHooks(),
      },
      this.stop.signal,
      (pod) => {
        this.sync.onEnded(pod);
      },
    );
  }

  private workerHooks(): WorkerHooks {
    return {
      cached: (uid) => this.cache.get(uid),
      refresh: (uid) => this.pleg.refresh(uid, false),
      admit: (pod) => this.admit(pod),
      networkProblem: () => this.node.networkProblem(),
      prepare: (pod) => this.prepare(pod),
      sandboxConfig: (pod, attempt) => sandboxConfig(pod, attempt, this.options),
      probe: (pod) => {
        this.probes.add(pod);
      },
      stopProbes: (pod) => {
        this.probes.remove(uidOf(pod));
      },
      report: (pod, input) => this.reporter.report(pod, input),
      reclaim: async (pod) => {
        this.admittedPods.delete(uidOf(pod));
        this.tokens.forget(uidOf(pod));
        await this.volumes.remove(uidOf(pod));
        this.statuses.reclaim(pod);
      },
    };
  }

  private admit(pod: Pod): ReturnType<typeof admit> {
    const others = this.workers
      .active()
      .filter((one) => uidOf(one) !== uidOf(pod) && this.admittedPods.has(uidOf(one)));
    const refusal = admit({
      pod,
      node: this.node.current,
      others,
      allocatable: this.node.allocatable(),
      maxPods: this.options.maxPods,
    });
    if (!refusal) this.admittedPods.add(uidOf(pod));
    return refusal;
  }

  private async prepare(pod: Pod): Promise<void> {
    // A pod must not start without the variables of its Services; static ones may start before the API server.
    if (!isStaticPod(pod))
      await this.informers.informer(resources.services).waitForSync(this.stop.signal);
    try {
      await this.volumes.mount(pod);
    } catch (error) {
      this.events.pod(
        pod,
        'Warning',
        'FailedMount',
        error instanceof Error ? error.message : String(error),
      );
      throw error;
    }
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
        this.admittedPods.delete(uidOf(pod));
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
