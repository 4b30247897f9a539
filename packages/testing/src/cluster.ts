import { readFileSync } from 'node:fs';
import { ClusterView } from './cluster-view.js';
import { toMs } from './duration.js';
import type { Duration } from './duration.js';
import { Rest } from './rest.js';
import type { Credentials } from './rest.js';
import { testServer } from './test-server-process.js';
import type { TestServer } from './test-server-process.js';

/** Which parts of the cluster run. */
export interface ClusterOptions {
  /** Nodes with kubelet and container runtime; default 1, 0 = none. */
  readonly nodes?: number;
  /** The controller manager (garbage collection and namespaces' deletion are its work); default true. */
  readonly controllers?: boolean;
  /** Default true. */
  readonly scheduler?: boolean;
  /** kube-proxy on each node, so that Services can be called; default false. */
  readonly services?: boolean;
}

interface Created {
  readonly cluster: string;
  readonly server: string;
  readonly kubeconfig: string;
  readonly credentials: Credentials;
}

/** The time of the cluster's components. */
export class ClusterClock {
  constructor(
    private readonly server: TestServer,
    private readonly cluster: string,
  ) {}

  async now(): Promise<Date> {
    const { now } = await this.server.ask<{ now: number }>('now', { cluster: this.cluster });
    return new Date(now);
  }

  /** Puts the clock ahead (`'1h30m'`, or milliseconds); what falls due meanwhile happens, in its order. */
  async step(by: Duration): Promise<void> {
    await this.server.ask('step', { cluster: this.cluster, ms: toMs(by) });
  }
}

/** Which requests or watches a fault is about; what it does not name matches all. */
export interface FaultMatch {
  readonly verbs?: readonly string[];
  readonly groups?: readonly string[];
  readonly resources?: readonly string[];
  readonly namespaces?: readonly string[];
  readonly names?: readonly string[];
  readonly users?: readonly string[];
  readonly userAgent?: string;
}

/** Faults of the API server, on purpose. */
export class ClusterFaults {
  constructor(private readonly rest: Rest) {}

  /** Requests that match fail, `times` of them or until `clear`; nothing of them is done. */
  async fail(
    match: FaultMatch,
    how: { readonly code: number; readonly reason?: string; readonly message?: string },
    times?: number,
  ): Promise<void> {
    await this.add({ ...match, fail: how, ...(times === undefined ? {} : { times }) });
  }

  /** Requests that match wait first. */
  async delay(match: FaultMatch, by: Duration, times?: number): Promise<void> {
    await this.add({ ...match, delayMs: toMs(by), ...(times === undefined ? {} : { times }) });
  }

  /** Cuts the open watches that match; answers how many there were. */
  dropWatches(match: FaultMatch = {}): Promise<number> {
    return this.strike({ ...match, fault: 'drop' });
  }

  /** Ends them with 410 Expired, as a compaction does. */
  expireWatches(match: FaultMatch = {}): Promise<number> {
    return this.strike({ ...match, fault: 'expire' });
  }

  async clear(): Promise<void> {
    await this.rest.json('/faults', { method: 'DELETE' });
  }

  private async add(rule: object): Promise<void> {
    await this.rest.json('/faults', { method: 'POST', body: rule });
  }

  private async strike(fault: object): Promise<number> {
    const { watches } = await this.rest.json<{ watches: number }>('/faults/watches', {
      method: 'POST',
      body: fault,
    });
    return watches;
  }
}

/** A fork of a cluster. */
export class Fork extends ClusterView {
  constructor(
    private readonly parent: Rest,
    readonly name: string,
  ) {
    super(parent.below(`/forks/${name}`));
  }

  async remove(): Promise<void> {
    await this.parent.json(`/forks/${this.name}`, { method: 'DELETE' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.remove();
  }
}

/** A cluster of a test. */
export class Cluster extends ClusterView {
  readonly clock: ClusterClock;
  readonly faults: ClusterFaults;
  /** Path of a kubeconfig for kubectl and for the program under test. */
  readonly kubeconfigPath: string;
  private stopped: Promise<unknown> | undefined;

  private constructor(
    private readonly testServer: TestServer,
    private readonly created: Created,
  ) {
    super(Rest.connect(created.server, created.credentials));
    this.kubeconfigPath = created.kubeconfig;
    this.clock = new ClusterClock(testServer, created.cluster);
    this.faults = new ClusterFaults(this.rest);
  }

  static async create(options: ClusterOptions): Promise<Cluster> {
    const server = await testServer();
    return new Cluster(server, await server.ask<Created>('create', options));
  }

  /** The kubeconfig's text. */
  kubeConfig(): string {
    return readFileSync(this.kubeconfigPath, 'utf8');
  }

  /** The cluster as it was: a resourceVersion, a time (RFC 3339), or how long ago (`-5m`). Reading alone. */
  at(moment: string | number): ClusterView {
    return new ClusterView(this.rest.below(`/at/${encodeURIComponent(String(moment))}`));
  }

  /**
   * A writable copy of the cluster as it is, or as it was at `moment`, that the cluster never sees: for a "what if". Nothing
   * runs on it but the API.
   */
  async fork(name?: string, moment?: string | number): Promise<Fork> {
    const made = await this.request('/forks', {
      method: 'POST',
      body: { name, at: moment === undefined ? undefined : String(moment) },
    });
    return new Fork(this.rest, String(made['metadata'].name));
  }

  /** Ends the cluster and removes everything of it; what is not stopped ends with the file of tests. */
  stop(): Promise<unknown> {
    this.rest.close();
    this.stopped ??= this.testServer.ask('stop', { cluster: this.created.cluster });
    return this.stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Starts a cluster; its API is ready when this resolves, and with controllers pods can be created in `default`. */
export function createCluster(options: ClusterOptions = {}): Promise<Cluster> {
  return Cluster.create(options);
}
