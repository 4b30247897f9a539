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
  /** Other files or folders to remove with the data. */
  readonly alsoRemove?: readonly string[];
}

const READY_MS = 20_000;

/** One member of a test's etcd, and what can be done to it. */
export class TestMember {
  private running: ManagedMember | undefined;

  constructor(
    private readonly options: MemberOptions,
    private readonly logFile: string,
    private readonly onChange: () => void,
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
    await eventually(() => isHealthy(this.endpoint), { timeoutMs: READY_MS, intervalMs: 15 }).catch(
      () => {
        throw new Error(
          `etcd ${this.name} does not serve: ${this.running?.log().slice(-2000) ?? ''}`,
        );
      },
    );
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
  const binary = await findEtcd({ allowInstall: false, cacheDir: join(tmpdir(), 'orrery-cache') });
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'orrery-etcd-'));
  const guard = startProcessGuard([folder, ...(options.alsoRemove ?? [])]);
  const addresses = await Promise.all(
    Array.from({ length: options.members ?? 1 }, (_, i) => memberAddress(`m${i + 1}`, folder)),
  );
  const members: TestMember[] = memberOptions({
    binary: binary.path,
    members: addresses,
    logLevel: 'warn',
    extraArgs: ['--unsafe-no-fsync', ...(options.extraArgs ?? [])],
    ...(addresses.length > 1 && { heartbeatMs: 20, electionMs: 200 }),
  }).map(
    (each) =>
      new TestMember(each, join(folder, `${each.name}.log`), () =>
        guard.guard(members.flatMap(({ pid }) => pid ?? [])),
      ),
  );
  for (const member of members) member.spawn();
  await Promise.all(members.map((member) => member.ready()));
  return new TestEtcd(members, guard);
}

async function memberAddress(name: string, folder: string): Promise<MemberAddress> {
  const client = await freeAddress();
  const peer = await freeAddress();
  return { name, dataDir: join(folder, name), clientUrl: toUrl(client), peerUrl: toUrl(peer) };
}

function toUrl({ host, port }: Address): string {
  return `http://${host}:${port}`;
}
