import { rm } from 'node:fs/promises';
import type { Pod } from '@orrery/api';
import type { Clock, Logger } from '@orrery/component';
import { podLogDir } from '../containers/paths.js';
import type { KubeletPaths } from '../containers/paths.js';
import type { Runtime, RuntimeContainer, RuntimePod } from '../runtime/runtime.js';
import type { PodCache } from '../pleg/pod-cache.js';
import type { VolumeMetrics } from '../metrics/volume-metrics.js';
import type { PodVolumes } from '../volumes/volume-manager.js';
import type { PodDirectory } from '../pod-sources/pod-directory.js';
import type { PodWorkers } from '../pod-workers/pod-workers.js';

export interface HousekeepingParts {
  readonly runtime: Runtime;
  readonly cache: PodCache;
  readonly directory: PodDirectory;
  readonly workers: PodWorkers;
  readonly volumes: PodVolumes;
  readonly paths: KubeletPaths;
  readonly clock: Clock;
  readonly logger: Logger;
  /** All pod sources have been read: what none of them names may be ended. */
  sourcesReady(): boolean;
  /** Default 2 s. */
  readonly periodMs?: number;
  readonly metrics?: Pick<VolumeMetrics, 'orphansCleaned' | 'orphansFailed'> | undefined;
}

const PERIOD_MS = 2_000;

/** Dead containers that may go: all but the newest dead one of each name. */
export function removableContainers(pod: RuntimePod): RuntimeContainer[] {
  const kept = new Set<string>();
  return pod.containers.filter((container) => {
    if (container.state === 'running' || container.state === 'created') return false;
    if (!kept.has(container.name)) {
      kept.add(container.name);
      return false;
    }
    return true;
  });
}

/** What the API would say of a pod of which only the runtime knows. */
function orphanPod(pod: RuntimePod): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: pod.name, namespace: pod.namespace, uid: pod.uid },
    spec: { containers: [], terminationGracePeriodSeconds: 30 },
  };
}

/** Removes what is left of pods and of old container runs (k8s pkg/kubelet/kuberuntime/kuberuntime_gc.go). */
export class Housekeeping {
  constructor(private readonly parts: HousekeepingParts) {}

  async start(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.parts.clock.sleep(this.parts.periodMs ?? PERIOD_MS, signal).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await this.sweep();
      } catch (error) {
        this.parts.logger.warn('housekeeping failed', { error: String(error) });
      }
    }
  }

  async sweep(): Promise<void> {
    const { cache, directory, workers, volumes } = this.parts;
    if (!this.parts.sourcesReady()) return;
    for (const pod of cache.all()) {
      if (directory.get(pod.uid)) await this.trim(pod);
      else if (!workers.has(pod.uid)) await this.removePod(pod);
    }
    await this.sweepVolumes(
      (await volumes.present()).filter(
        (uid) => !directory.get(uid) && !workers.has(uid) && !cache.get(uid),
      ),
    );
  }

  private async sweepVolumes(orphans: readonly string[]): Promise<void> {
    const { volumes, metrics, logger } = this.parts;
    let failed = 0;
    for (const uid of orphans)
      try {
        await volumes.remove(uid);
      } catch (error) {
        failed++;
        logger.warn('volumes of a pod that is gone not removed', {
          pod: uid,
          error: String(error),
        });
      }
    metrics?.orphansCleaned.set(orphans.length);
    metrics?.orphansFailed.set(failed);
  }

  private async trim(pod: RuntimePod): Promise<void> {
    for (const container of removableContainers(pod))
      await this.parts.runtime.removeContainer(container.id);
    const [, ...older] = pod.sandboxes;
    for (const sandbox of older)
      if (!sandbox.ready && !pod.containers.some((one) => one.sandboxId === sandbox.id))
        await this.parts.runtime.removeSandbox(sandbox.id);
  }

  private async removePod(pod: RuntimePod): Promise<void> {
    const { runtime, workers, cache, paths } = this.parts;
    const lives =
      pod.containers.some((one) => one.state === 'running') ||
      pod.sandboxes.some((one) => one.ready);
    if (lives) {
      workers.endOrphan(orphanPod(pod));
      return;
    }
    for (const container of pod.containers) await runtime.removeContainer(container.id);
    for (const sandbox of pod.sandboxes) await runtime.removeSandbox(sandbox.id);
    await rm(podLogDir(paths, orphanPod(pod)), { recursive: true, force: true });
    cache.set(pod.uid, undefined);
  }
}
