import { mkdirSync } from 'node:fs';
import { resources } from '@orrery/api';
import { connect, loadKubeconfig } from '@orrery/client';
import { LocalServers, SteppedClock, SystemClock } from '@orrery/component';
import { installAddons } from '../addons/install.js';
import { APPS } from '../apps.js';
import type { ClusterFiles } from '../cluster/layout.js';
import {
  apiServer,
  containerRuntime,
  controllerManager,
  dataplane,
  kubelet,
  scheduler,
} from '../cluster/plan.js';
import type { Instance, PlanInput } from '../cluster/plan.js';
import type { TestClusterOptions } from './test-cluster-options.js';
import type { TestPlaces } from './test-places.js';
import type { TestSite } from './test-sites.js';

/** How long parts may take to stop before the cluster goes without them. */
const STOP_MS = 5_000;

/** A step goes on by so much at once: nodes are given up after 40 s of silence. */
const SLICE_MS = 15_000;
/** Nobody stands by: leaders renew their leases so seldom that a step of the clock by hours is not made of that. */
const LEADER_ELECTION = [
  '--leader-elect-lease-duration=15m',
  '--leader-elect-renew-deadline=10m',
  '--leader-elect-retry-period=2m',
];

const elected = (instance: Instance): Instance => ({
  ...instance,
  args: [...instance.args, ...LEADER_ELECTION],
});

const without = (args: readonly string[], ...flags: readonly string[]): string[] =>
  args.filter((arg) => !flags.some((flag) => arg.startsWith(`--${flag}=`)));

/** What the first cluster of a process needs is loaded while etcd starts; a failure is met by who runs it. */
export function preload({ nodes, controllers, scheduler, services }: TestClusterOptions): void {
  const wanted = {
    'kube-apiserver': true,
    'kube-controller-manager': controllers,
    'kube-scheduler': scheduler,
    'container-runtime': nodes > 0,
    kubelet: nodes > 0,
    dataplane: nodes > 0 && services,
  };
  for (const [name, isWanted] of Object.entries(wanted))
    if (isWanted) APPS[name]?.().catch(() => undefined);
}

/** A cluster whose components all run in this process, on a clock of its own. */
export class TestCluster {
  readonly clock = new SteppedClock(new SystemClock(), SLICE_MS);
  readonly files: ClusterFiles;
  private readonly local = new LocalServers();
  private readonly stopping = new AbortController();
  private readonly stopApi = new AbortController();
  private readonly running: Promise<unknown>[] = [];
  private api: Promise<void> = Promise.resolve();
  private failed: Error | undefined;

  private readonly input: PlanInput;

  private constructor(
    private readonly site: TestSite,
    private readonly places: TestPlaces,
    private readonly options: TestClusterOptions,
  ) {
    this.input = site.input;
    this.files = site.input.files;
  }

  get server(): string {
    return this.site.server;
  }

  /** Starts a cluster; its API is ready when this resolves, and with controllers pods can be created in `default`. */
  static async start(
    site: TestSite,
    places: TestPlaces,
    options: TestClusterOptions,
  ): Promise<TestCluster> {
    const cluster = new TestCluster(site, places, options);
    try {
      await cluster.launch();
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  /** Ends everything of this cluster and removes its files. */
  async stop(): Promise<void> {
    this.stopping.abort(new Error('the cluster is stopping'));
    const patience = new AbortController();
    await Promise.race([
      Promise.allSettled(this.running),
      this.systemSleep(STOP_MS, patience.signal),
    ]);
    patience.abort(new Error('stopped'));
    this.stopApi.abort(new Error('the cluster is stopping'));
    await Promise.allSettled([this.api]);
    // Nodes have files of their own, and programs that may still write.
    await this.places.giveBack(this.site.place, this.options.nodes === 0);
  }

  private systemSleep(ms: number, signal: AbortSignal): Promise<void> {
    return this.clock.sleep(ms, signal).catch(() => undefined);
  }

  private async launch(): Promise<void> {
    const { input } = this;
    for (const dir of [input.files.run(), input.files.logs()]) mkdirSync(dir, { recursive: true });
    await this.startApi();
    for (const instance of this.components()) void this.run(instance);
    this.startNodes();
    await this.prepareObjects();
    if (this.failed) throw this.failed;
  }

  private async startApi(): Promise<void> {
    const { app } = await import('@orrery/apiserver');
    const etcd = await this.site.etcd;
    const instance = apiServer(this.input);
    // Without controllers nobody makes service accounts: pods must pass without one, as envtest has it.
    const admission = this.options.controllers
      ? []
      : ['--disable-admission-plugins=ServiceAccount'];
    const args = [
      ...without(instance.args, 'etcd-servers'),
      `--etcd-servers=${etcd.endpoint}`,
      `--etcd-prefix=${this.site.keyspace}`,
      '--enable-faults=true',
      ...admission,
    ];
    await new Promise<void>((resolve, reject) => {
      this.api = app.run(args, {
        signal: this.stopApi.signal,
        clock: this.clock,
        local: this.local,
        onReady: resolve,
      });
      this.api.catch(reject);
    });
  }

  /** What runs beside the nodes. */
  private components(): Instance[] {
    const { input, options } = this;
    return [
      ...(options.controllers ? [elected(controllerManager(input, 1))] : []),
      ...(options.scheduler ? [elected(scheduler(input, 1))] : []),
      ...(options.nodes > 0 && options.services ? [dataplane(input)] : []),
    ];
  }

  private startNodes(): void {
    const { input, options } = this;
    for (let i = 1; i <= options.nodes; i++) {
      const { args, ...rest } = containerRuntime(input, i);
      // The kind ImageRule is one of the add-ons: without them its watch would be refused again and again.
      const own = options.services ? args : without(args, 'kubeconfig');
      // A kubelet that finds no runtime asks again, after a while.
      const runtime = this.run({ ...rest, args: own });
      void this.run(kubelet(input, i, false), runtime);
    }
  }

  /**
   * Runs a component until the cluster stops, once `after` has come; its failure becomes the cluster's. Resolves when it
   * says that it is ready, or has ended.
   */
  private run({ app, args }: Instance, after = Promise.resolve()): Promise<void> {
    const { clock, local } = this;
    const { signal } = this.stopping;
    return new Promise((ready) => {
      const work = async (): Promise<void> => {
        const load = APPS[app];
        // Nobody asks one component of a test's cluster for its health.
        const own = without(args, 'bind-address', 'secure-port');
        await after;
        if (load) await (await load()).run(own, { signal, clock, local, onReady: ready });
      };
      this.running.push(
        work()
          .catch((error: unknown) => {
            this.failed ??= error instanceof Error ? error : new Error(String(error));
          })
          .finally(ready),
      );
    });
  }

  private async prepareObjects(): Promise<void> {
    const { options, input, clock } = this;
    const { signal } = this.stopping;
    const hasServices = options.services && options.nodes > 0;
    if (!hasServices && !options.controllers) return;
    const client = connect(loadKubeconfig(input.files.adminConf));
    try {
      if (hasServices)
        await installAddons(
          client,
          {
            server: this.server,
            clusterCidr: input.addresses.podCidr,
            dataplaneSocket: input.files.dataplaneSocket(),
          },
          clock,
          signal,
        );
      if (!options.controllers) return;
      const accounts = client.resource(resources.serviceaccounts);
      for await (const event of accounts.watch(
        { namespace: 'default', resourceVersion: '0' },
        signal,
      ))
        if (event.type === 'ADDED' && event.object.metadata.name === 'default') return;
    } finally {
      await client.close();
    }
  }
}
