import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { findEtcd, isHealthy, memberOptions, startMember } from '@orrery/storage';
import type { ManagedMember, MemberAddress, MemberOptions } from '@orrery/storage';

import { eventually } from '../eventually.js';
import { freeAddress } from './addresses.js';
import type { Address } from './addresses.js';
import { startProcessGuard } from './process-guard.js';
import type { ProcessGuard } from './process-guard.js';

export interface StartEtcdOptions {
  /** Default 1. */
  readonly members?: 1 | 3;
  readonly extraArgs?: readonly string[];
  /** Clients speak https and show a certificate of this authority; asked for the members' hosts. */
  readonly tls?: (hosts: readonly string[]) => Promise<EtcdTlsFiles>;
  /** Default: the one that findEtcd() finds. */
  readonly binary?: string;
  /** Other files or folders to remove with the data. */
  readonly alsoRemove?: readonly string[];
}

export interface EtcdTlsFiles {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

const READY_MS = 20_000;

/** One member of a test's etcd, and what can be done to it. */
export class TestMember {
  private running: ManagedMember | undefined;

  constructor(
    private readonly options: MemberOptions,
    private readonly logFile: string,
    private readonly onChange: () => void,
    private readonly healthUrl = options.clientUrl,
  ) {}

  get name(): string {
    return this.options.name;
  }

  get endpoint(): string {
    return this.options.clientUrl;
  }

  get pid(): number | undefined {
    return this.running?.process.pid;
  }

  /** Starts it, again on the same data; resolves when it serves. */
  async start(): Promise<void> {
    this.spawn();
    await this.ready();
  }

  spawn(): void {
    this.running = startMember(this.options, this.logFile);
    this.running.process.unref();
    this.onChange();
  }

  async ready(): Promise<void> {
    await eventually(() => isHealthy(this.healthUrl), {
      timeoutMs: READY_MS,
      intervalMs: 15,
    }).catch(() => {
      throw new Error(
        `etcd ${this.name} does not serve: ${this.running?.log().slice(-2000) ?? ''}`,
      );
    });
  }

  /** SIGKILL: as a crash. */
  kill(): Promise<void> {
    return this.end('SIGKILL');
  }

  /** SIGTERM: as a shutdown. */
  stop(): Promise<void> {
    return this.end('SIGTERM');
  }

  /** SIGSTOP: alive, connected and silent. */
  pause(): void {
    this.running?.process.kill('SIGSTOP');
  }

  resume(): void {
    this.running?.process.kill('SIGCONT');
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const { running } = this;
    if (!running) return;
    running.process.ref();
    running.process.kill(signal);
    running.process.kill('SIGCONT');
    await running.exited;
    this.running = undefined;
    this.onChange();
  }
}

/** An etcd cluster of a test's own, on loopback addresses, with its data in memory where the machine allows. */
export class TestEtcd implements AsyncDisposable {
  constructor(
    readonly members: readonly TestMember[],
    private readonly guard: ProcessGuard,
  ) {}

  get endpoints(): readonly string[] {
    return this.members.map(({ endpoint }) => endpoint);
  }

  /** The one member of a single-member cluster. */
  get member(): TestMember {
    const [first] = this.members;
    if (!first) throw new Error('an etcd without members');
    return first;
  }

  async stop(): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()));
    this.guard.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** Starts etcd for tests; it ends with this process at the latest. */
export async function startEtcd(options: StartEtcdOptions = {}): Promise<TestEtcd> {
  const found = await findEtcd({
    ...(options.binary === undefined ? {} : { path: options.binary }),
    allowInstall: false,
    cacheDir: join(tmpdir(), 'orrery-cache'),
  });
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'orrery-etcd-'));
  const guard = startProcessGuard([folder, ...(options.alsoRemove ?? [])]);
  const scheme = options.tls ? 'https' : 'http';
  const addresses = await Promise.all(
    Array.from({ length: options.members ?? 1 }, (_, i) =>
      memberAddress(`m${i + 1}`, folder, scheme),
    ),
  );
  const wanted = memberOptions({
    binary: found.path,
    members: addresses,
    logLevel: 'warn',
    extraArgs: ['--unsafe-no-fsync', ...(options.extraArgs ?? [])],
    ...(addresses.length > 1 && { heartbeatMs: 20, electionMs: 200 }),
  });
  const tls = await options.tls?.(addresses.map(({ clientUrl }) => new URL(clientUrl).hostname));
  const members: TestMember[] = await Promise.all(
    wanted.map(async (each) => {
      const log = join(folder, `${each.name}.log`);
      const onChange = (): void => guard.guard(members.flatMap(({ pid }) => pid ?? []));
      if (!tls) return new TestMember(each, log, onChange);
      // Who only asks for health has no certificate.
      const healthUrl = toUrl(await freeAddress());
      const extraArgs = [...(each.extraArgs ?? []), ...tlsArgs(tls, healthUrl)];
      return new TestMember({ ...each, extraArgs }, log, onChange, healthUrl);
    }),
  );
  for (const member of members) member.spawn();
  await Promise.all(members.map((member) => member.ready()));
  return new TestEtcd(members, guard);
}

function tlsArgs(
  { caFile, certFile, keyFile }: EtcdTlsFiles,
  healthUrl: string,
): readonly string[] {
  return [
    `--trusted-ca-file=${caFile}`,
    `--cert-file=${certFile}`,
    `--key-file=${keyFile}`,
    '--client-cert-auth',
    `--listen-metrics-urls=${healthUrl}`,
  ];
}

async function memberAddress(
  name: string,
  folder: string,
  scheme: 'http' | 'https',
): Promise<MemberAddress> {
  const client = await freeAddress();
  const peer = await freeAddress();
  const clientUrl = toUrl(client).replace(/^http/, scheme);
  return { name, dataDir: join(folder, name), clientUrl, peerUrl: toUrl(peer) };
}

function toUrl({ host, port }: Address): string {
  return `http://${host}:${port}`;
}
