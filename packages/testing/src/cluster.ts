import { readFileSync } from 'node:fs';
import { ConnectedCluster } from './connected-cluster.js';
import { toMs } from './duration.js';
import type { Duration } from './duration.js';
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

/** A cluster of a test. */
export class Cluster extends ConnectedCluster {
  readonly clock: ClusterClock;
  /** Path of a kubeconfig for kubectl and for the program under test. */
  readonly kubeconfigPath: string;
  private stopped: Promise<unknown> | undefined;

  private constructor(
    private readonly testServer: TestServer,
    private readonly created: Created,
  ) {
    super(created.server, created.credentials);
    this.kubeconfigPath = created.kubeconfig;
    this.clock = new ClusterClock(testServer, created.cluster);
  }

  static async create(options: ClusterOptions): Promise<Cluster> {
    const { nodes = 1, controllers = true, scheduler = true } = options;
    const isBare = nodes === 0 && !controllers && !scheduler;
    const server = await testServer(isBare ? 'api' : 'components');
    return new Cluster(server, await server.ask<Created>('create', options));
  }

  /** The kubeconfig's text. */
  kubeConfig(): string {
    return readFileSync(this.kubeconfigPath, 'utf8');
  }

  /** Ends the cluster and removes everything of it; what is not stopped ends with the file of tests. */
  stop(): Promise<unknown> {
    this.close();
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
