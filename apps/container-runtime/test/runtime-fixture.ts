import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock, SystemRandom, silentLogger } from '@orrery/component';
import { connectCri } from '@orrery/cri';
import type { ContainerConfig, CriClient, Init, PodSandboxConfig } from '@orrery/cri';
import { serveRuntime } from '../src/app.js';
import { RuntimeOptions } from '../src/options.js';
import type { Isolation } from '../src/process/isolation.js';

const clock = new SystemClock();

/** Waits for a value; fails with the last reason after 10 s. */
export async function eventually<T>(read: () => Promise<T> | T): Promise<T> {
  const deadline = clock.monotonic() + 10_000;
  for (;;)
    try {
      return await read();
    } catch (error) {
      if (clock.monotonic() > deadline) throw error;
      await clock.sleep(20);
    }
}

/** A runtime of its own on a real socket, with short ways to run pods. */
export class RuntimeFixture {
  private stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();
  readonly client: CriClient;
  private pods = 0;

  private constructor(
    readonly folder: string,
    readonly block: number,
    readonly isolation: Isolation | undefined,
  ) {
    this.client = connectCri(`unix://${folder}/cri.sock`);
  }

  /** `block`: the third part of 127.207.x.0/24, its pod CIDR. */
  static async start(
    block: number,
    isolation?: Isolation,
    prepare?: (folder: string) => void,
  ): Promise<RuntimeFixture> {
    const folder = await mkdtemp(join(tmpdir(), 'runtime-'));
    prepare?.(folder);
    const fixture = new RuntimeFixture(folder, block, isolation);
    await fixture.boot();
    await fixture.client.runtime.updateRuntimeConfig({
      runtimeConfig: { networkConfig: { podCidr: `127.207.${block}.0/24` } },
    });
    return fixture;
  }

  async boot(): Promise<void> {
    this.stopping = new AbortController();
    const options = Object.assign(new RuntimeOptions(), {
      listen: `unix://${this.folder}/cri.sock`,
      root: join(this.folder, 'node-1', 'runtime'),
      nodeIp: '127.207.0.1',
      secondNodeIp: '127.207.0.2',
      adoptDir: join(this.folder, 'cluster'),
      componentDir: join(this.folder, 'components'),
    });
    this.running = serveRuntime(
      options,
      {
        clock,
        random: new SystemRandom(),
        logger: silentLogger,
        ...(this.isolation && { isolation: this.isolation }),
      },
      this.stopping.signal,
    );
    await Promise.race([this.running, eventually(() => this.client.runtime.version({}))]);
  }

  async halt(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  async stop(): Promise<void> {
    await this.halt();
    this.client.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  get logs(): string {
    return join(this.folder, 'logs');
  }

  async runPod(name: string, extra: Init<PodSandboxConfig> = {}) {
    const config: Init<PodSandboxConfig> = {
      metadata: { name, uid: `uid-${name}-${this.pods++}`, namespace: 'default' },
      hostname: name,
      logDirectory: this.logs,
      ...extra,
    };
    const { podSandboxId } = await this.client.runtime.runPodSandbox({ config });
    const { status } = await this.client.runtime.podSandboxStatus({ podSandboxId });
    return { id: podSandboxId, ip: status?.network?.ip ?? '' };
  }

  async create(podSandboxId: string, image: string, config: Init<ContainerConfig> = {}) {
    await this.client.images.pullImage({ image: { image } });
    const name = config.metadata?.name ?? 'main';
    const { containerId } = await this.client.runtime.createContainer({
      podSandboxId,
      config: {
        image: { image },
        logPath: `${name}.log`,
        ...config,
        metadata: { name, attempt: 0, ...config.metadata },
      },
    });
    return containerId;
  }

  async run(podSandboxId: string, image: string, config: Init<ContainerConfig> = {}) {
    const containerId = await this.create(podSandboxId, image, config);
    await this.client.runtime.startContainer({ containerId });
    return containerId;
  }

  async status(containerId: string) {
    const { status } = await this.client.runtime.containerStatus({ containerId });
    if (!status) throw new TypeError('no status');
    return status;
  }

  exited(containerId: string) {
    return eventually(async () => {
      const status = await this.status(containerId);
      if (status.state !== 'CONTAINER_EXITED') throw new TypeError(status.state);
      return status;
    });
  }

  /** What a command beside the container's own prints; rejects when it fails. */
  async exec(containerId: string, cmd: readonly string[]): Promise<string> {
    const { stdout, stderr, exitCode } = await this.client.runtime.execSync({
      containerId,
      cmd: [...cmd],
      timeout: 10,
    });
    if (exitCode !== 0) throw new Error(`${cmd.join(' ')}: ${Buffer.from(stderr).toString()}`);
    return Buffer.from(stdout).toString();
  }

  /** The log without times. */
  async log(name = 'main'): Promise<string> {
    const text = await readFile(join(this.logs, `${name}.log`), 'utf8');
    return text.replace(/^\S+Z /gm, '');
  }
}
