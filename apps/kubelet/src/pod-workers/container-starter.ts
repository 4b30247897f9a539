import type { Container, Pod } from '@orrery/api';
import type { Backoff } from '@orrery/controller';
import { ContainerConfigError } from '../containers/downward.js';
import { hashContainer } from '../containers/hash.js';
import { restartBackoff, toGoSeconds } from '../containers/restart-backoff.js';
import { describePod, initContainersOf, uidOf } from '../containers/visit.js';
import type { ImageVolume } from '../containers/container-config.js';
import { normalizeImage } from '../images/image-name.js';
import { ImagePullError } from '../images/image-puller.js';
import type { ImagePuller, WantedImage } from '../images/image-puller.js';
import { latestContainer } from '../runtime/runtime.js';
import type { ContainerConfig, Runtime, RuntimePod, SandboxConfig } from '../runtime/runtime.js';
import type { WaitingReason } from '../status/container-statuses.js';
import type { KubeletMetrics } from '../metrics/kubelet-metrics.js';
import type { LifecycleHooks } from './lifecycle-hooks.js';
import type { PodEvents } from './pod-events.js';

export interface StartRequest {
  readonly pod: Pod;
  readonly container: Container;
  readonly runtimePod: RuntimePod | undefined;
  readonly sandboxId: string;
  readonly sandbox: SandboxConfig;
  readonly podIp: string;
  /** How often it was restarted when the runtime knows nothing of it any more. */
  readonly restarts?: number;
  /** Set once the images that are volumes of the container are there. */
  readonly imageVolumes?: ReadonlyMap<string, ImageVolume>;
}

/** Builds the runtime's view of one start; rejects with ContainerConfigError. */
export type ConfigFactory = (
  request: StartRequest,
  imageRef: string,
  attempt: number,
) => Promise<ContainerConfig>;

/** A container that could not start: shown as its waiting reason, tried again after `retryAfterMs`. */
export class StartError extends Error {
  constructor(
    readonly waiting: WaitingReason,
    readonly retryAfterMs: number,
    options?: ErrorOptions,
  ) {
    super(`${waiting.reason}: ${waiting.message}`, options);
    this.name = 'StartError';
  }
}

/** Upstream's workers try again after about this long when nothing else wakes them. */
const RETRY_MS = 10_000;
const POST_START_TIMEOUT_MS = 600_000;

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** k8s pkg/kubelet/metrics/metrics.go:Container, InitContainer, EphemeralContainer. */
function typeOf({ pod, container: { name } }: StartRequest): string {
  if (initContainersOf(pod).some((one) => one.name === name)) return 'init_container';
  return pod.spec.containers.some((one) => one.name === name) ? 'container' : 'ephemeral_container';
}

export interface StarterParts {
  readonly runtime: Runtime;
  readonly images: ImagePuller;
  readonly hooks: Pick<LifecycleHooks, 'run'>;
  readonly events: PodEvents;
  readonly makeConfig: ConfigFactory;
  /** Longest wait of a container that ends again and again; default 5 min. */
  readonly maxRestartMs?: number;
  readonly metrics?: Pick<KubeletMetrics, 'images' | 'pods'> | undefined;
  now(): number;
}

/** Pulls, creates and starts one container (k8s pkg/kubelet/kuberuntime/kuberuntime_container.go:startContainer). */
export class ContainerStarter {
  private readonly backoff: Backoff;

  constructor(private readonly parts: StarterParts) {
    this.backoff = restartBackoff(() => parts.now(), parts.maxRestartMs);
  }

  /** Resolves with the container's id; rejects with StartError. */
  async start(request: StartRequest): Promise<string> {
    this.checkBackoff(request);
    const { metrics } = this.parts;
    const container_type = typeOf(request);
    metrics?.pods.startedContainers.inc({ container_type });
    try {
      return await this.startNow(request);
    } catch (error) {
      if (error instanceof StartError)
        metrics?.pods.startedContainersErrors.inc({ container_type, code: error.waiting.reason });
      throw error;
    }
  }

  private async startNow(request: StartRequest): Promise<string> {
    const { pod, container, runtimePod } = request;
    const latest = latestContainer(runtimePod, container.name);
    const imageVolumes = await this.pullVolumes(request);
    const imageRef = await this.pull(request, container);
    const attempt = latest ? latest.restartCount + 1 : (request.restarts ?? 0);
    const config = await this.configure({ ...request, imageVolumes }, imageRef, attempt);
    const id = await this.create(request, config, imageVolumes.size);
    try {
      await this.parts.runtime.startContainer(id);
    } catch (error) {
      throw this.failed(request, 'RunContainerError', textOf(error), error);
    }
    this.parts.events.pod(pod, 'Normal', 'Started', 'Container started', container.name);
    await this.postStart(request, id);
    return id;
  }

  forget(pod: Pod): void {
    this.backoff.forget(`${uidOf(pod)}_`);
    this.parts.images.forget(pod);
  }

  private checkBackoff({ pod, container, runtimePod }: StartRequest): void {
    const latest = latestContainer(runtimePod, container.name);
    if (!latest || latest.state !== 'exited') return;
    const key = `${uidOf(pod)}_${container.name}_${hashContainer(container)}`;
    const waitMs = this.backoff.remaining(key, latest.finishedAtMs);
    if (waitMs > 0) {
      this.parts.events.pod(
        pod,
        'Warning',
        'BackOff',
        `Back-off restarting failed container ${container.name} in pod ${describePod(pod)}`,
        container.name,
      );
      const message = `back-off ${toGoSeconds(this.backoff.get(key))} restarting failed container=${container.name} pod=${describePod(pod)}`;
      throw new StartError({ reason: 'CrashLoopBackOff', message }, waitMs);
    }
    this.backoff.next(key, latest.finishedAtMs);
  }

  /** The images that the container has as volumes (k8s pkg/kubelet/kuberuntime/kuberuntime_manager.go:getImageVolumes). */
  private async pullVolumes(request: StartRequest): Promise<ReadonlyMap<string, ImageVolume>> {
    const { pod, container } = request;
    const used = new Set(container.volumeMounts?.map(({ name }) => name));
    const volumes = new Map<string, ImageVolume>();
    for (const { name, image } of pod.spec.volumes ?? []) {
      if (!image || !used.has(name)) continue;
      this.parts.metrics?.images.volumes.requested.inc();
      const wanted = normalizeImage(image.reference ?? '');
      const { pullPolicy } = image;
      const ref = await this.pull(request, {
        image: wanted,
        ...(pullPolicy ? { imagePullPolicy: pullPolicy } : {}),
      });
      volumes.set(name, { ref, name: wanted });
    }
    return volumes;
  }

  private async pull(
    { pod, container, sandbox }: StartRequest,
    wanted: WantedImage,
  ): Promise<string> {
    try {
      return await this.parts.images.ensure(pod, wanted, sandbox, (type, reason, message) => {
        this.parts.events.pod(pod, type, reason, message, container.name);
      });
    } catch (error) {
      if (error instanceof ImagePullError) {
        this.parts.events.pod(pod, 'Warning', 'Failed', `Error: ${error.reason}`, container.name);
        throw new StartError({ reason: error.reason, message: error.message }, error.retryAfterMs, {
          cause: error,
        });
      }
      throw new StartError({ reason: 'ImageInspectError', message: textOf(error) }, RETRY_MS, {
        cause: error,
      });
    }
  }

  private async configure(
    request: StartRequest,
    imageRef: string,
    attempt: number,
  ): Promise<ContainerConfig> {
    try {
      return await this.parts.makeConfig(request, imageRef, attempt);
    } catch (error) {
      const reason =
        error instanceof ContainerConfigError
          ? 'CreateContainerConfigError'
          : 'CreateContainerError';
      throw this.failed(request, reason, textOf(error), error);
    }
  }

  private async create(
    request: StartRequest,
    config: ContainerConfig,
    imageVolumes: number,
  ): Promise<string> {
    const counts = this.parts.metrics?.images.volumes;
    try {
      const id = await this.parts.runtime.createContainer(
        request.sandboxId,
        config,
        request.sandbox,
      );
      counts?.mounted.inc(imageVolumes);
      this.parts.events.pod(request.pod, 'Normal', 'Created', 'Container created', config.name);
      return id;
    } catch (error) {
      counts?.failed.inc(imageVolumes);
      throw this.failed(request, 'CreateContainerError', textOf(error), error);
    }
  }

  private async postStart(request: StartRequest, containerId: string): Promise<void> {
    const { pod, container, podIp } = request;
    const handler = container.lifecycle?.postStart;
    if (!handler) return;
    try {
      await this.parts.hooks.run(
        handler,
        { pod, container, containerId, podIp },
        POST_START_TIMEOUT_MS,
      );
    } catch (error) {
      this.parts.events.pod(
        pod,
        'Warning',
        'FailedPostStartHook',
        `PostStartHook failed: ${textOf(error)}`,
        container.name,
      );
      await this.parts.runtime.stopContainer(
        containerId,
        pod.spec.terminationGracePeriodSeconds ?? 30,
      );
      throw new StartError({ reason: 'PostStartHookError', message: textOf(error) }, 0, {
        cause: error,
      });
    }
  }

  private failed(
    request: StartRequest,
    reason: string,
    message: string,
    cause: unknown,
  ): StartError {
    const { pod, container } = request;
    this.parts.events.pod(pod, 'Warning', 'Failed', `Error: ${message}`, container.name);
    return new StartError({ reason, message }, RETRY_MS, { cause });
  }
}
