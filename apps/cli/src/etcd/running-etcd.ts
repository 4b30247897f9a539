import { connect, loadKubeconfig } from '@orrery/client';
import { ConfigError } from '@orrery/component';
import type { Clock } from '@orrery/component';
import { EtcdAdmin, EtcdClient, isHealthy } from '@orrery/storage';
import type { FoundEtcd } from '@orrery/storage';
import { etcdProcess } from '../cluster/etcd.js';
import {
  etcdClientUrl,
  etcdEndpoints,
  etcdNumbers,
  etcdProcessName,
  processes,
  toProcess,
} from '../cluster/plan.js';
import type { PlanInput } from '../cluster/plan.js';
import { settingsOf, writeSettings } from '../cluster/settings.js';
import { writeStaticPods } from '../cluster/static-pods.js';
import type { ManagedProcess } from '../supervisor/managed-process.js';
import type { Supervisor } from '../supervisor/supervisor.js';

/** Told what is being done, a line at a time. */
export type Say = (text: string) => void;

export interface RunningEtcdOptions {
  readonly input: PlanInput;
  readonly etcd: FoundEtcd;
  readonly supervisor: Supervisor;
  readonly clock: Clock;
  /** Default: the one that the supervisor runs. */
  readonly apiServer?: ApiServerControl;
}

/** What a change of etcd needs of the API server. */
export interface ApiServerControl {
  stop(): Promise<void>;
  /** Starts it again for this cluster; resolves when it is ready. */
  start(input: PlanInput): Promise<void>;
}

const API_SERVER = 'kube-apiserver';
const HEALTHY_MS = 30_000;
const POLL_MS = 100;

/** The etcd and the API server of a running cluster, for who changes etcd's members or data. */
export class RunningEtcd {
  readonly etcd: FoundEtcd;
  readonly supervisor: Supervisor;
  readonly clock: Clock;
  private current: PlanInput;
  private readonly apiServer: ApiServerControl;

  constructor({ input, etcd, supervisor, clock, apiServer }: RunningEtcdOptions) {
    this.current = input;
    this.etcd = etcd;
    this.supervisor = supervisor;
    this.clock = clock;
    this.apiServer =
      apiServer ??
      new SupervisedApiServer(supervisor, (problem, done) => this.until(problem, done));
  }

  get input(): PlanInput {
    return this.current;
  }

  /** The cluster as it would be with these members. */
  with(numbers: readonly number[]): PlanInput {
    const sorted = numbers.toSorted((a, b) => a - b);
    return { ...this.current, etcdMembers: sorted.length, etcdNumbers: sorted };
  }

  /** From here on the cluster has these members; a later start knows. */
  keep(numbers: readonly number[]): void {
    this.current = this.with(numbers);
    writeSettings(this.current.files, settingsOf(this.current));
    writeStaticPods(this.current);
  }

  /** Asks the members but `without`; the client is closed afterwards. */
  async ask<T>(
    run: (admin: EtcdAdmin, client: EtcdClient) => Promise<T>,
    without?: number,
  ): Promise<T> {
    const endpoints = etcdNumbers(this.current)
      .filter((n) => n !== without)
      .map((n) => etcdClientUrl(this.current, n));
    const client = new EtcdClient({ endpoints, requestTimeoutMs: 5000 });
    try {
      return await run(new EtcdAdmin(client), client);
    } finally {
      client.close();
    }
  }

  /** Starts the member, or starts it again with what `input` says of it. */
  async startMember(
    input: PlanInput,
    n: number,
    clusterState: 'new' | 'existing' = 'existing',
  ): Promise<void> {
    const spec = etcdProcess(input, this.etcd.path, n, clusterState);
    await this.supervisor.replace(spec.name, spec);
  }

  async stopMember(n: number): Promise<void> {
    await this.supervisor.find(etcdProcessName(n))?.stop();
  }

  async forgetMember(n: number): Promise<void> {
    await this.supervisor.replace(etcdProcessName(n));
  }

  async healthy(n: number): Promise<void> {
    const url = etcdClientUrl(this.current, n);
    await this.until(`${etcdProcessName(n)} does not serve ${url}`, () => isHealthy(url));
  }

  /** Waits until a member other than `without` serves: they have a leader. */
  async serves(without: number): Promise<void> {
    const urls = etcdNumbers(this.current)
      .filter((n) => n !== without)
      .map((n) => etcdClientUrl(this.current, n));
    await this.until('etcd does not serve', async () =>
      (await Promise.all(urls.map(isHealthy))).includes(true),
    );
  }

  /** Repeats until true, or throws `problem` with the last error after the deadline. */
  async until(problem: string, done: () => Promise<boolean>): Promise<void> {
    const deadline = this.clock.monotonic() + HEALTHY_MS;
    for (;;) {
      let why = '';
      try {
        if (await done()) return;
      } catch (error) {
        why = `: ${error instanceof Error ? error.message : String(error)}`;
      }
      if (this.clock.monotonic() > deadline)
        throw new ConfigError(`${problem} after ${HEALTHY_MS / 1000} s${why}`);
      await this.clock.sleep(POLL_MS);
    }
  }

  stopApiServer(): Promise<void> {
    return this.apiServer.stop();
  }

  /** Starts the API server again with the members of now: it takes them from its flags. */
  async startApiServer(say: Say): Promise<void> {
    say(`kube-apiserver starts again with --etcd-servers=${etcdEndpoints(this.current).join(',')}`);
    await this.apiServer.start(this.current);
  }
}

/** The API server as the supervisor runs it. */
class SupervisedApiServer implements ApiServerControl {
  constructor(
    private readonly supervisor: Supervisor,
    private readonly until: RunningEtcd['until'],
  ) {}

  async stop(): Promise<void> {
    await this.process().stop();
  }

  private process(): ManagedProcess {
    const found = this.supervisor.find(API_SERVER);
    if (!found)
      throw new ConfigError(
        'the API server has no process of its own (--single-process), so etcd cannot be changed below it',
      );
    return found;
  }

  async start(input: PlanInput): Promise<void> {
    this.process();
    const group = processes(input).find(({ name }) => name === API_SERVER);
    if (!group) return;
    await this.supervisor.replace(API_SERVER, toProcess(input, group));
    const client = connect(loadKubeconfig(input.files.adminConf));
    try {
      await this.until(`${API_SERVER} is not ready`, async () => {
        const { code } = await client.raw('/readyz');
        return code === 200;
      });
    } finally {
      await client.close();
    }
  }
}
