import type { Container, LifecycleHandler, Pod } from '@orrery/api';
import { findContainer, initContainersOf, isSidecar } from '../containers/visit.js';
import type { Clock, Logger } from '@orrery/component';
import { PRE_STOP_ANNOTATION } from '../runtime/labels.js';
import { isRuntimeNotFound, readySandbox } from '../runtime/runtime.js';
import type { Runtime, RuntimeContainer, RuntimePod } from '../runtime/runtime.js';
import type { LifecycleHooks } from './lifecycle-hooks.js';
import type { PodEvents } from './pod-events.js';

/** Grace left for a container whose preStop used it all up (k8s minimumGracePeriodInSeconds). */
const MINIMUM_GRACE_S = 2;

export interface KillerParts {
  readonly runtime: Runtime;
  readonly hooks: Pick<LifecycleHooks, 'run'>;
  readonly events: PodEvents;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Ends containers: preStop, then SIGTERM, then SIGKILL after the grace period. Safe to repeat. */
export class PodKiller {
  constructor(private readonly parts: KillerParts) {}

  /** `message` defaults to upstream's `Stopping container`. */
  async killContainer(
    pod: Pod,
    target: RuntimeContainer,
    graceSeconds: number,
    message?: string,
    podIp = '',
  ): Promise<void> {
    const { events, clock } = this.parts;
    events.pod(
      pod,
      'Normal',
      'Killing',
      message ?? `Stopping container ${target.name}`,
      target.name,
    );
    const startedAt = clock.monotonic();
    if (graceSeconds > 0 && target.state === 'running')
      await this.preStop(pod, target, graceSeconds, podIp);
    const usedSeconds = Math.floor((clock.monotonic() - startedAt) / 1000);
    const left =
      graceSeconds === 0
        ? 0
        : Math.max(graceSeconds - usedSeconds, Math.min(MINIMUM_GRACE_S, graceSeconds));
    await this.stop(target.id, left);
  }

  /** All containers at once, sidecars after the regular ones in reverse order; then the sandboxes. */
  async killPod(pod: Pod, runtimePod: RuntimePod, graceSeconds: number): Promise<void> {
    const running = runtimePod.containers.filter(
      (one) => one.state === 'running' || one.state === 'created' || one.state === 'unknown',
    );
    const sidecarNames = initContainersOf(pod)
      .filter(isSidecar)
      .map((one) => one.name);
    const isSidecarRun = (one: RuntimeContainer): boolean => sidecarNames.includes(one.name);
    const podIp = readySandbox(runtimePod)?.ips[0] ?? '';
    const deadline = this.parts.clock.monotonic() + graceSeconds * 1000;
    await Promise.all(
      running
        .filter((one) => !isSidecarRun(one))
        .map((one) => this.killContainer(pod, one, graceSeconds, undefined, podIp)),
    );
    for (const name of sidecarNames.toReversed())
      for (const one of running.filter((container) => container.name === name)) {
        const left = Math.max(
          Math.min(MINIMUM_GRACE_S, graceSeconds),
          Math.ceil((deadline - this.parts.clock.monotonic()) / 1000),
        );
        await this.killContainer(pod, one, left, undefined, podIp);
      }
    await Promise.all(
      runtimePod.sandboxes
        .filter((one) => one.ready)
        .map((one) => this.parts.runtime.stopSandbox(one.id)),
    );
  }

  /** Shortens the grace period of a kill that is under way. */
  async hurry(runtimePod: RuntimePod, graceSeconds: number): Promise<void> {
    await Promise.all(
      runtimePod.containers
        .filter((one) => one.state === 'running')
        .map((one) => this.stop(one.id, graceSeconds)),
    );
  }

  private async stop(id: string, graceSeconds: number): Promise<void> {
    try {
      await this.parts.runtime.stopContainer(id, graceSeconds);
    } catch (error) {
      if (!isRuntimeNotFound(error)) throw error;
    }
  }

  private async preStop(
    pod: Pod,
    target: RuntimeContainer,
    graceSeconds: number,
    podIp: string,
  ): Promise<void> {
    const container: Container = findContainer(pod, target.name) ?? { name: target.name };
    const handler = container.lifecycle?.preStop ?? recordedHandler(target);
    if (!handler) return;
    const { hooks, events, clock, logger } = this.parts;
    const abort = new AbortController();
    const hook = hooks
      .run(handler, { pod, container, containerId: target.id, podIp }, graceSeconds * 1000)
      .catch((error: unknown) => {
        events.pod(pod, 'Warning', 'FailedPreStopHook', 'PreStopHook failed', target.name);
        logger.warn('pre stop hook failed', {
          pod: pod.metadata.name,
          container: target.name,
          error: String(error),
        });
      });
    const timeout = clock.sleep(graceSeconds * 1000, abort.signal).catch(() => undefined);
    await Promise.race([hook, timeout]);
    abort.abort();
  }
}

/** The handler as it was when the container started: the pod may be gone from the API. */
function recordedHandler(target: RuntimeContainer): LifecycleHandler | undefined {
  const text = target.annotations[PRE_STOP_ANNOTATION];
  if (!text) return undefined;
  try {
    return JSON.parse(text) as LifecycleHandler;
  } catch {
    return undefined;
  }
}
