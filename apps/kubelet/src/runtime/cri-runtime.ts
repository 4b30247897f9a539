import { CriError, connectCri, toRpcText } from '@orrery/cri';
import type { CriClient, Image } from '@orrery/cri';
import { SystemClock } from '@orrery/component';
import type { Clock } from '@orrery/component';
import type { RuntimeMetrics } from '../metrics/runtime-metrics.js';
import type { RegistryCredentials } from '../images/pull-secrets.js';
import {
  toContainerConfig,
  toLinuxResources,
  toPodResources,
  toSandboxConfig,
} from './cri-config.js';
import { groupPods } from './cri-pods.js';
import { CpuRates, toMetrics, toPodUsage, toUsage } from './cri-usage.js';
import { instrumentedCri } from './instrumented-cri.js';
import { POD_UID_LABEL } from './labels.js';
import { RuntimeError, isRuntimeNotFound, isRuntimeUnimplemented } from './runtime.js';
import type {
  ContainerConfig,
  ContainerResources,
  ContainerUsage,
  ExecResult,
  Runtime,
  RuntimeCondition,
  RuntimeErrorCode,
  ImageUser,
  PodResources,
  PodUsage,
  RuntimeMetric,
  RuntimeImage,
  RuntimeInfo,
  RuntimePod,
  SandboxConfig,
  StreamRequest,
} from './runtime.js';

const CODES: Readonly<Record<string, RuntimeErrorCode>> = {
  NOT_FOUND: 'NotFound',
  UNIMPLEMENTED: 'Unimplemented',
  UNAVAILABLE: 'Unavailable',
  DEADLINE_EXCEEDED: 'DeadlineExceeded',
};

/** Image pulls may take long (upstream: no deadline). */
const PULL_TIMEOUT_MS = 3_600_000;
/** Time beyond the grace period that a stop may take. */
const STOP_MARGIN_MS = 120_000;

async function call<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof CriError)
      throw new RuntimeError(CODES[error.code] ?? 'Unknown', toRpcText(error), { cause: error });
    throw error;
  }
}

const toImage = (image: Image): RuntimeImage => ({
  pinned: image.pinned,
  id: image.id,
  tags: image.repoTags,
  digests: image.repoDigests,
  sizeBytes: image.size,
});

/** The kubelet's only way to containers: CRI runtime.v1 over gRPC. */
export class CriRuntime implements Runtime {
  private readonly cri: CriClient;
  private readonly rates = new CpuRates();

  constructor(endpoint: string, metrics?: RuntimeMetrics, clock: Clock = new SystemClock()) {
    const cri = connectCri(endpoint);
    this.cri = metrics ? instrumentedCri(cri, metrics, clock) : cri;
  }

  async version(): Promise<RuntimeInfo> {
    const { runtimeName, runtimeVersion } = await call(this.cri.runtime.version({}));
    const { runtimeHandlers, features } = await call(this.cri.runtime.status({}));
    return {
      name: runtimeName,
      version: runtimeVersion,
      handlers: runtimeHandlers.map((one) => ({
        name: one.name,
        recursiveReadOnlyMounts: one.features?.recursiveReadOnlyMounts === true,
        userNamespaces: one.features?.userNamespaces === true,
      })),
      ...(features ? { supplementalGroupsPolicy: features.supplementalGroupsPolicy } : {}),
    };
  }

  async status(): Promise<readonly RuntimeCondition[]> {
    const { status } = await call(this.cri.runtime.status({}, { timeoutMs: 10_000 }));
    return status?.conditions ?? [];
  }

  async updatePodCidr(podCidr: string): Promise<void> {
    await call(
      this.cri.runtime.updateRuntimeConfig({ runtimeConfig: { networkConfig: { podCidr } } }),
    );
  }

  listPods(): Promise<readonly RuntimePod[]> {
    return this.read({});
  }

  async getPod(uid: string): Promise<RuntimePod | undefined> {
    const [pod] = await this.read({ [POD_UID_LABEL]: uid });
    return pod;
  }

  async runSandbox(config: SandboxConfig, runtimeHandler = ''): Promise<string> {
    const { podSandboxId } = await call(
      this.cri.runtime.runPodSandbox({ config: toSandboxConfig(config), runtimeHandler }),
    );
    return podSandboxId;
  }

  async stopSandbox(podSandboxId: string): Promise<void> {
    await ignoreMissing(call(this.cri.runtime.stopPodSandbox({ podSandboxId })));
  }

  async removeSandbox(podSandboxId: string): Promise<void> {
    await ignoreMissing(call(this.cri.runtime.removePodSandbox({ podSandboxId })));
  }

  async createContainer(
    podSandboxId: string,
    config: ContainerConfig,
    sandbox: SandboxConfig,
  ): Promise<string> {
    const request = {
      podSandboxId,
      config: toContainerConfig(config, sandbox),
      sandboxConfig: toSandboxConfig(sandbox),
    };
    const { containerId } = await call(this.cri.runtime.createContainer(request));
    return containerId;
  }

  async startContainer(containerId: string): Promise<void> {
    await call(this.cri.runtime.startContainer({ containerId }));
  }

  async stopContainer(containerId: string, graceSeconds: number): Promise<void> {
    const timeoutMs = graceSeconds * 1000 + STOP_MARGIN_MS;
    await call(
      this.cri.runtime.stopContainer({ containerId, timeout: graceSeconds }, { timeoutMs }),
    );
  }

  async removeContainer(containerId: string): Promise<void> {
    await ignoreMissing(call(this.cri.runtime.removeContainer({ containerId })));
  }

  async updateContainerResources(id: string, resources: ContainerResources): Promise<void> {
    const linux = toLinuxResources(resources);
    await call(this.cri.runtime.updateContainerResources({ containerId: id, linux }));
  }

  async updatePodResources(podSandboxId: string, resources: PodResources): Promise<void> {
    const request = { podSandboxId, resources: toPodResources(resources) };
    try {
      await call(this.cri.runtime.updatePodSandboxResources(request));
    } catch (error) {
      // Older runtimes know the limits of containers alone.
      if (!isRuntimeUnimplemented(error)) throw error;
    }
  }

  async reopenLog(containerId: string): Promise<void> {
    await call(this.cri.runtime.reopenContainerLog({ containerId }));
  }

  async execSync(
    containerId: string,
    command: readonly string[],
    timeoutMs: number,
  ): Promise<ExecResult> {
    const timeout = Math.max(1, Math.ceil(timeoutMs / 1000));
    const answer = await call(
      this.cri.runtime.execSync(
        { containerId, cmd: command, timeout },
        { timeoutMs: timeoutMs + 5_000 },
      ),
    );
    return {
      stdout: Buffer.from(answer.stdout).toString('utf8'),
      stderr: Buffer.from(answer.stderr).toString('utf8'),
      exitCode: answer.exitCode,
    };
  }

  async exec({ command, ...request }: StreamRequest): Promise<string> {
    return (await call(this.cri.runtime.exec({ ...request, cmd: command }))).url;
  }

  async attach(request: Omit<StreamRequest, 'command'>): Promise<string> {
    return (await call(this.cri.runtime.attach(request))).url;
  }

  async portForward(podSandboxId: string, port: readonly number[]): Promise<string> {
    return (await call(this.cri.runtime.portForward({ podSandboxId, port }))).url;
  }

  async imageRef(image: string): Promise<string | undefined> {
    const { image: found } = await call(this.cri.images.imageStatus({ image: { image } }));
    return found?.id === '' ? undefined : found?.id;
  }

  async imageSize(image: string): Promise<number> {
    const { image: found } = await call(this.cri.images.imageStatus({ image: { image } }));
    return found?.size ?? 0;
  }

  async imageUser(image: string): Promise<ImageUser> {
    const { image: found } = await call(this.cri.images.imageStatus({ image: { image } }));
    return {
      ...(found?.uid ? { uid: found.uid.value } : {}),
      username: found?.username ?? '',
    };
  }

  async pullImage(
    image: string,
    sandbox: SandboxConfig,
    auth?: RegistryCredentials,
  ): Promise<string> {
    const request = { image: { image }, auth, sandboxConfig: toSandboxConfig(sandbox) };
    return (await call(this.cri.images.pullImage(request, { timeoutMs: PULL_TIMEOUT_MS })))
      .imageRef;
  }

  async listImages(): Promise<readonly RuntimeImage[]> {
    return (await call(this.cri.images.listImages({}))).images.map(toImage);
  }

  async removeImage(image: string): Promise<void> {
    await ignoreMissing(call(this.cri.images.removeImage({ image: { image } })));
  }

  async imageBytes(): Promise<number> {
    const { imageFilesystems } = await call(this.cri.images.imageFsInfo({}));
    return imageFilesystems.reduce((sum, one) => sum + (one.usedBytes?.value ?? 0), 0);
  }

  async usage(): Promise<readonly ContainerUsage[]> {
    const { stats } = await call(this.cri.runtime.listContainerStats({}));
    return this.rates.complete(stats.map(toUsage));
  }

  async podUsage(): Promise<readonly PodUsage[]> {
    const { stats } = await orNone({ stats: [] }, call(this.cri.runtime.listPodSandboxStats({})));
    return stats.map(toPodUsage);
  }

  async metrics(): Promise<readonly RuntimeMetric[]> {
    const { runtime } = this.cri;
    const descriptors = orNone({ descriptors: [] }, call(runtime.listMetricDescriptors({})));
    const measured = orNone({ podMetrics: [] }, call(runtime.listPodSandboxMetrics({})));
    return toMetrics(await descriptors, await measured);
  }

  async *changes(signal: AbortSignal): AsyncIterable<string> {
    try {
      for await (const event of this.cri.runtime.getContainerEvents({}, { signal }))
        yield event.podSandboxStatus?.metadata?.uid ?? '';
    } catch (error) {
      if (error instanceof CriError)
        throw new RuntimeError(CODES[error.code] ?? 'Unknown', toRpcText(error), { cause: error });
      throw error;
    }
  }

  close(): void {
    this.cri.close();
  }

  private async read(labelSelector: Readonly<Record<string, string>>): Promise<RuntimePod[]> {
    const { runtime } = this.cri;
    const filter = { labelSelector };
    const [sandboxes, containers] = await Promise.all([
      call(runtime.listPodSandbox({ filter })),
      call(runtime.listContainers({ filter })),
    ]);
    const [sandboxStatuses, containerStatuses] = await Promise.all([
      present(
        sandboxes.items.map(({ id }) => call(runtime.podSandboxStatus({ podSandboxId: id }))),
      ),
      present(
        containers.containers.map(({ id }) => call(runtime.containerStatus({ containerId: id }))),
      ),
    ]);
    const homes = new Map(containers.containers.map((one) => [one.id, one.podSandboxId]));
    return groupPods(
      sandboxStatuses.flatMap((one) => one.status ?? []),
      containerStatuses.flatMap((one) => one.status ?? []),
      homes,
    );
  }
}

/** Older runtimes do not know every call, or fail in it: what they do not tell is not told. */
async function orNone<T>(none: T, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof RuntimeError) return none;
    throw error;
  }
}

async function ignoreMissing(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isRuntimeNotFound(error)) throw error;
  }
}

/** What vanished between the list and the look is left out. */
async function present<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const found = await Promise.all(
    work.map((one) =>
      one.catch((error: unknown) => {
        if (isRuntimeNotFound(error)) return undefined;
        throw error;
      }),
    ),
  );
  return found.filter((one) => one !== undefined);
}
