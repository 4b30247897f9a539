import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { get } from 'node:https';
import { join, resolve } from 'node:path';
import { eventually } from '@orrery/testkit';
import type { AddressPlan } from './address-plan.js';
import type { EtcdMember } from './etcd-cluster.js';
import type { ProcessTable } from './process-table.js';
import type { RelayAddress } from './relay.js';
import { Relay, SimplePolicy } from './relay.js';

/** Where an API server answers reads from. */
export type Reads = 'cache' | 'quorum';

export interface ApiServerOptions {
  readonly index: number;
  readonly reads: Reads;
  readonly plan: AddressPlan;
  readonly members: readonly EtcdMember[];
  readonly folder: string;
  readonly processes: ProcessTable;
}

const ROOT = resolve(process.env['ORRERY_ROOT'] ?? resolve(import.meta.dirname, '../../..'));
const READY_MS = 30_000;

/** The bundle of a component; ORRERY_DIST as for the scripts. */
export function bundle(name: string): string {
  const file = join(process.env['ORRERY_DIST'] ?? join(ROOT, 'dist'), `${name}.js`);
  if (!existsSync(file)) throw new Error(`${file} is missing: npm run build`);
  return file;
}

/** One API server as a process of its own, with relays before it and between it and each etcd member. */
export class ApiServer {
  private child: ChildProcess | undefined;
  private exited: Promise<void> = Promise.resolve();

  private constructor(
    private readonly options: ApiServerOptions,
    readonly policies: { readonly client: SimplePolicy; readonly etcd: SimplePolicy },
    private readonly address: RelayAddress,
    private readonly front: Relay,
    private readonly back: readonly Relay[],
  ) {}

  /** Makes the relays; the server itself starts with `start`. */
  static async create(options: ApiServerOptions): Promise<ApiServer> {
    const { plan, members } = options;
    const address = plan.next();
    const policies = { client: new SimplePolicy(), etcd: new SimplePolicy() };
    const front = await Relay.start(plan.next(), address, policies.client);
    const back: Relay[] = [];
    for (const { clientAddress } of members)
      back.push(await Relay.start(plan.next(), clientAddress, policies.etcd));
    return new ApiServer(options, policies, address, front, back);
  }

  get name(): string {
    return `s${this.options.index + 1}`;
  }

  get reads(): Reads {
    return this.options.reads;
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Where clients reach it, through the relay. */
  get url(): string {
    return `https://${this.front.url}`;
  }

  /** Where it listens, without a relay between. */
  get directUrl(): string {
    return `https://${this.address.host}:${this.address.port}`;
  }

  spawn(): void {
    const log = openSync(this.logFile, 'a');
    const { host, port } = this.address;
    const etcd = this.back.map(({ url }) => `http://${url}`).join(',');
    const flags = [
      `--etcd-servers=${etcd}`,
      `--bind-address=${host}`,
      `--secure-port=${port}`,
      `--service-cluster-ip-range=${this.options.plan.serviceRange}`,
      `--reads=${this.reads}`,
    ];
    const child = spawn(process.execPath, [bundle('kube-apiserver'), ...flags], {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.child = child;
    this.exited = new Promise((done) => {
      child.once('error', () => done());
      child.once('exit', () => done());
    });
    this.options.processes.set(this.name, this.pid);
  }

  async start(): Promise<void> {
    this.spawn();
    await this.ready();
  }

  /** Resolves when it says that it is ready. */
  async ready(): Promise<void> {
    await eventually(
      async () => {
        if (this.child?.exitCode !== null) throw new Error('it has ended');
        return isReady(this.directUrl);
      },
      { timeoutMs: READY_MS, intervalMs: 30 },
    ).catch((error: unknown) => {
      const log = readFileSync(this.logFile, 'utf8').slice(-2000);
      throw new Error(`API server ${this.name} does not serve: ${String(error)}\n${log}`);
    });
  }

  /** SIGKILL: as a crash. */
  async kill(): Promise<void> {
    this.child?.kill('SIGKILL');
    await this.exited;
    this.child = undefined;
    this.options.processes.set(this.name, this.pid);
  }

  /** Breaks all connections of clients: requests, watches and informers alike. */
  cutClients(): void {
    this.front.cut();
  }

  /** Breaks all connections to etcd. */
  cutEtcd(): void {
    for (const relay of this.back) relay.cut();
  }

  /** To be called after a change of one of the policies. */
  update(): void {
    for (const relay of [this.front, ...this.back]) relay.update();
  }

  async stop(): Promise<void> {
    await this.kill();
    await Promise.all([this.front, ...this.back].map((relay) => relay.close()));
  }

  private get logFile(): string {
    return join(this.options.folder, `${this.name}.log`);
  }
}

function isReady(url: string): Promise<boolean> {
  return new Promise((done) => {
    const options = { rejectUnauthorized: false, agent: false, timeout: 2000 };
    const request = get(`${url}/readyz`, options, (response) => {
      response.resume();
      done(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => done(false));
  });
}
