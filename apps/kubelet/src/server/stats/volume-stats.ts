import { statfs } from 'node:fs/promises';
import type { Pod, Volume } from '@orrery/api';
import type { Clock } from '@orrery/component';
import { toTime } from '@orrery/component';
import { claimNameOf } from '../../containers/pod-references.js';
import { uidOf } from '../../containers/visit.js';
import type { MountedVolume } from '../../volumes/claims.js';
import { folderUsage } from '../../volumes/disk-usage.js';
import type { VolumeMetrics } from '../../metrics/volume-metrics.js';
import { pluginNameOf } from '../../volumes/volume-manager.js';

/** stats.k8s.io/v1alpha1 VolumeStats (k8s kubelet/pkg/apis/stats/v1alpha1/types.go). Bytes and inodes. */
export interface VolumeStats {
  readonly time: string;
  readonly name: string;
  readonly pvcRef?: { readonly name: string; readonly namespace: string };
  readonly availableBytes: number;
  readonly capacityBytes: number;
  readonly usedBytes: number;
  readonly inodesFree: number;
  readonly inodes: number;
  readonly inodesUsed: number;
}

/** So long what was measured is told again (k8s KubeletConfiguration volumeStatsAggPeriod). */
const KEPT_MS = 60_000;

/** A claim is told as its file system has it, any other volume as its own files; host paths are not looked at, as upstream. */
async function measure(
  pod: Pod,
  volume: Volume,
  { path }: MountedVolume,
  time: string,
): Promise<VolumeStats> {
  const disk = await statfs(path);
  const claim = claimNameOf(pod, volume);
  const of = {
    time,
    name: volume.name,
    availableBytes: disk.bavail * disk.bsize,
    capacityBytes: disk.blocks * disk.bsize,
    inodesFree: disk.ffree,
    inodes: disk.files,
  };
  if (claim !== undefined)
    return {
      ...of,
      pvcRef: { name: claim, namespace: pod.metadata.namespace ?? '' },
      usedBytes: (disk.blocks - disk.bfree) * disk.bsize,
      inodesUsed: disk.files - disk.ffree,
    };
  const { bytes, inodes } = await folderUsage(path);
  return { ...of, usedBytes: bytes, inodesUsed: inodes };
}

/** What the volumes of pods hold, measured when somebody asks, at most once a minute. */
export class VolumeMeter {
  private readonly known = new Map<string, { atMs: number; stats: Promise<VolumeStats[]> }>();

  constructor(
    private readonly clock: Clock,
    private readonly metrics?: Pick<VolumeMetrics, 'collection'>,
  ) {}

  /** By the uid of the pod. */
  async of(
    pods: readonly Pod[],
    mountsOf: (pod: Pod) => ReadonlyMap<string, MountedVolume>,
  ): Promise<ReadonlyMap<string, readonly VolumeStats[]>> {
    const nowMs = this.clock.monotonic();
    for (const [uid, { atMs }] of this.known) if (nowMs - atMs >= KEPT_MS) this.known.delete(uid);
    const found = new Map<string, readonly VolumeStats[]>();
    for (const pod of pods) {
      const uid = uidOf(pod);
      let entry = this.known.get(uid);
      if (!entry) {
        entry = { atMs: nowMs, stats: this.ofPod(pod, mountsOf(pod)) };
        this.known.set(uid, entry);
      }
      found.set(uid, await entry.stats);
    }
    return found;
  }

  private async measureTimed(
    pod: Pod,
    volume: Volume,
    mounted: MountedVolume,
    time: string,
  ): Promise<VolumeStats> {
    const startedMs = this.clock.monotonic();
    const stats = await measure(pod, volume, mounted, time);
    const metric_source = pluginNameOf(volume, mounted);
    const seconds = (this.clock.monotonic() - startedMs) / 1000;
    this.metrics?.collection.observe({ metric_source }, seconds);
    return stats;
  }

  private async ofPod(
    pod: Pod,
    mounts: ReadonlyMap<string, MountedVolume>,
  ): Promise<VolumeStats[]> {
    const time = toTime(this.clock.now());
    const stats = await Promise.all(
      (pod.spec.volumes ?? []).map(async (volume) => {
        const mounted = volume.hostPath ? undefined : mounts.get(volume.name);
        // What is taken away meanwhile is not told.
        return mounted && this.measureTimed(pod, volume, mounted, time).catch(() => undefined);
      }),
    );
    return stats.filter((one) => one !== undefined);
  }
}
