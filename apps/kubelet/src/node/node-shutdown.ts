import { existsSync } from 'node:fs';
import type { Pod, PodCondition } from '@orrery/api';
import { toTime } from '@orrery/component';
import type { Clock, Logger } from '@orrery/component';
import { uidOf } from '../containers/visit.js';
import type { NodeMetrics } from '../metrics/node-metrics.js';
import type { PodFailure } from '../pod-workers/worker-hooks.js';

/** Pods from this priority on, up to that of the next group, and how long they have. */
export interface ShutdownGroup {
  readonly priority: number;
  readonly graceMs: number;
}

export interface NodeShutdownParts {
  readonly clock: Clock;
  readonly logger: Logger;
  /** There while the machine is about to go down; systemd writes one when a shutdown is scheduled. */
  readonly file: string;
  /** Ascending by priority; empty = a shutdown is not waited for. */
  readonly groups: readonly ShutdownGroup[];
  active(): readonly Pod[];
  evict(pod: Pod, graceSeconds: number, failure: PodFailure): boolean;
  isTerminating(uid: string): boolean;
  nodeEvent(reason: string, message: string): void;
  /** The node stopped or started to shut down. */
  changed(): void;
  readonly metrics?: NodeMetrics['shutdown'] | undefined;
}

const POLL_MS = 1_000;
const MESSAGE = 'Pod was terminated in response to imminent node shutdown.';

/**
 * Ends all pods in good time before the machine goes down, critical ones last, and takes no new ones
 * (k8s pkg/kubelet/nodeshutdown/nodeshutdown_manager_linux.go).
 */
export class NodeShutdown {
  private shuttingDown = false;

  constructor(private readonly parts: NodeShutdownParts) {}

  /** Undefined while the node stays up. */
  get problem(): string | undefined {
    return this.shuttingDown ? 'node is shutting down' : undefined;
  }

  refusal(): { readonly reason: string; readonly message: string } | undefined {
    return this.shuttingDown
      ? { reason: 'NodeShutdown', message: 'Pod was rejected as the node is shutting down.' }
      : undefined;
  }

  async start(signal: AbortSignal): Promise<void> {
    const { clock, logger, groups, file } = this.parts;
    if (groups.length === 0) return;
    while (!signal.aborted) {
      const announced = existsSync(file);
      if (announced !== this.shuttingDown) {
        this.shuttingDown = announced;
        logger.info(
          announced ? 'shutdown manager detected shutdown event' : 'shutdown was called off',
        );
        this.parts.nodeEvent(
          'NodeShutdown',
          `Shutdown manager detected shutdown ${announced ? 'event' : 'cancellation'}`,
        );
        this.parts.changed();
        if (announced) await this.endPods(signal);
      }
      await clock.sleep(POLL_MS, signal).catch(() => undefined);
    }
  }

  /** Group by group, the lowest priority first; pods below all groups go with the first. */
  private async endPods(signal: AbortSignal): Promise<void> {
    const { groups, metrics, clock } = this.parts;
    metrics?.start.set(clock.now() / 1000);
    metrics?.end.set(0);
    const pods = this.parts.active();
    const groupOf = ({ spec }: Pod): number =>
      Math.max(
        0,
        groups.findLastIndex(({ priority }) => priority <= (spec.priority ?? 0)),
      );
    for (const [index, { graceMs }] of groups.entries())
      await this.endGroup(
        pods.filter((pod) => groupOf(pod) === index),
        graceMs,
        signal,
      );
    metrics?.end.set(clock.now() / 1000);
  }

  /** Resolves when the pods have ended, or with the time. */
  private async endGroup(pods: readonly Pod[], ms: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.parts;
    const most = Math.floor(ms / 1000);
    for (const pod of pods) {
      const condition: PodCondition = {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'TerminationByKubelet',
        message: MESSAGE,
        lastTransitionTime: toTime(clock.now()),
      };
      const grace = Math.min(most, pod.spec.terminationGracePeriodSeconds ?? 30);
      this.parts.evict(pod, grace, { reason: 'Terminated', message: MESSAGE, condition });
    }
    const deadline = clock.monotonic() + ms;
    while (
      !signal.aborted &&
      clock.monotonic() < deadline &&
      pods.some((pod) => this.parts.isTerminating(uidOf(pod)))
    )
      await clock.sleep(100, signal).catch(() => undefined);
  }
}
