import { chmod, chown, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod, Volume } from '@orrery/api';
import { SystemClock } from '@orrery/component';
import type { Clock } from '@orrery/component';
import { podDir, podsDir, volumesDir } from '../containers/paths.js';
import type { KubeletPaths } from '../containers/paths.js';
import { allContainers, uidOf } from '../containers/visit.js';
import type { VolumeMetrics } from '../metrics/volume-metrics.js';
import { writeAtomically } from './atomic-writer.js';
import type { VolumeFile } from './atomic-writer.js';
import type { ClaimMounter, MountedVolume } from './claims.js';
import { mountHostPath } from './host-path.js';
import { makeInMemory, memoryDir, memorySize, removeFromMemory } from './memory-volume.js';
import { forGroup } from './ownership.js';
import {
  DEFAULT_MODE,
  VolumeError,
  configMapFiles,
  downwardFiles,
  projectionFiles,
  secretFiles,
} from './payload.js';
import type { PayloadSources } from './payload.js';

type Files = [string, VolumeFile][];

/** Folder names of upstream's volume plugins below pods/<uid>/volumes. */
const PLUGINS: Readonly<Record<string, string>> = {
  emptyDir: 'kubernetes.io~empty-dir',
  configMap: 'kubernetes.io~configmap',
  secret: 'kubernetes.io~secret',
  projected: 'kubernetes.io~projected',
  downwardAPI: 'kubernetes.io~downward-api',
};

/** Those that containers use; of images are the runtime's. */
function usedVolumes(pod: Pod): readonly Volume[] {
  const used = new Set(
    allContainers(pod).flatMap((one) => (one.volumeMounts ?? []).map((mount) => mount.name)),
  );
  return (pod.spec.volumes ?? []).filter(({ name, image }) => used.has(name) && !image);
}

/** Volumes whose files the kubelet writes. */
const WRITTEN = new Set(['configMap', 'secret', 'projected', 'downwardAPI']);

/** Files made in the folder belong to the pod's group, where the kubelet may say so. */
async function giveToGroup(dir: string, group: number | undefined): Promise<void> {
  if (group === undefined || process.geteuid?.() !== 0) return;
  await chown(dir, 0, group);
  const { mode } = await stat(dir);
  await chmod(dir, (mode & 0o7777) | 0o2777);
}

/** The volumes of pods on this node. */
export interface PodVolumes {
  /** Sets up the pod's volumes. Idempotent; rejects with VolumeError naming the volume. */
  mount(pod: Pod): Promise<void>;
  /** What mount() has set up, by volume name. */
  mountsOf(pod: Pod): ReadonlyMap<string, MountedVolume>;
  /** The plugins of the volumes that the pod's containers use, and whether each is set up. */
  pluginsOf(pod: Pod): readonly VolumePlugin[];
  /** Brings the files of mounted ConfigMaps, Secrets, tokens and downward API volumes up to date. */
  refresh(pod: Pod): Promise<void>;
  /** Removes all that the pod left in the kubelet's folder. */
  remove(uid: string): Promise<void>;
  /** Uids of pods that have a folder. */
  present(): Promise<readonly string[]>;
}

export interface VolumePlugin {
  /** As upstream names it, e.g. `kubernetes.io/configmap`; `N/A` for a claim that is not mounted. */
  readonly plugin: string;
  readonly isMounted: boolean;
}

export interface VolumeManagerOptions {
  readonly clock: Clock;
  readonly metrics?: Pick<VolumeMetrics, 'operations'> | undefined;
}

interface Mounted {
  readonly volumes: ReadonlyMap<string, MountedVolume>;
  shown: string;
}

function pluginOf(volume: Volume): string {
  return Object.keys(volume).find((key) => key !== 'name') ?? 'emptyDir';
}

/** Upstream's name of what sets the volume up (k8s pkg/volume/…:GetPluginName). */
export function pluginNameOf(volume: Volume, mounted?: MountedVolume): string {
  if (volume.hostPath) return 'kubernetes.io/host-path';
  return mounted?.plugin ?? PLUGINS[pluginOf(volume)]?.replace('~', '/') ?? 'N/A';
}

/** The pod's own data that downward API files show. */
const shownOf = ({ metadata }: Pod): string =>
  JSON.stringify([metadata.labels, metadata.annotations]);

/** Sets up, refreshes and removes the volumes of pods. */
export class VolumeManager implements PodVolumes {
  private readonly mounted = new Map<string, Mounted>();

  constructor(
    private readonly paths: KubeletPaths,
    private readonly claims: Pick<ClaimMounter, 'mount'>,
    private readonly sources: (pod: Pod) => PayloadSources,
    private readonly options: VolumeManagerOptions = { clock: new SystemClock() },
  ) {}

  async mount(pod: Pod): Promise<void> {
    const known = this.mounted.get(uidOf(pod));
    if (known) {
      if (known.shown !== shownOf(pod)) await this.refresh(pod);
      known.shown = shownOf(pod);
      return;
    }
    await mkdir(podDir(this.paths, uidOf(pod)), { recursive: true, mode: 0o750 });
    const result = new Map<string, MountedVolume>();
    for (const volume of usedVolumes(pod))
      result.set(volume.name, await this.mountTimed(pod, volume));
    this.mounted.set(uidOf(pod), { volumes: result, shown: shownOf(pod) });
  }

  mountsOf(pod: Pod): ReadonlyMap<string, MountedVolume> {
    return this.mounted.get(uidOf(pod))?.volumes ?? new Map<string, MountedVolume>();
  }

  pluginsOf(pod: Pod): readonly VolumePlugin[] {
    const mounts = this.mountsOf(pod);
    return usedVolumes(pod).map((volume) => {
      const mounted = mounts.get(volume.name);
      return { plugin: pluginNameOf(volume, mounted), isMounted: mounted !== undefined };
    });
  }

  async refresh(pod: Pod): Promise<void> {
    const known = this.mountsOf(pod);
    for (const volume of pod.spec.volumes ?? []) {
      const dir = known.get(volume.name)?.path;
      if (dir === undefined || this.isStatic(pod, volume)) continue;
      await this.write(pod, volume, dir);
    }
  }

  async remove(uid: string): Promise<void> {
    this.mounted.delete(uid);
    await removeFromMemory(memoryDir(this.paths.rootDir, uid));
    await rm(podDir(this.paths, uid), { recursive: true, force: true });
  }

  async present(): Promise<string[]> {
    return readdir(podsDir(this.paths)).catch(() => []);
  }

  private isStatic(pod: Pod, volume: Volume): boolean {
    const plugin = pluginOf(volume);
    if (!WRITTEN.has(plugin)) return true;
    // A subPath is resolved once, when the container is made; upstream does not update such mounts either.
    return !allContainers(pod).some((one) =>
      one.volumeMounts?.some((mount) => mount.name === volume.name && !mount.subPath),
    );
  }

  private async mountTimed(pod: Pod, volume: Volume): Promise<MountedVolume> {
    const { clock, metrics } = this.options;
    const startedMs = clock.monotonic();
    const ended = (status: string, mounted?: MountedVolume): void => {
      const labels = {
        volume_plugin: pluginNameOf(volume, mounted),
        operation_name: 'volume_mount',
        status,
        migrated: 'false',
      };
      metrics?.operations.observe(labels, (clock.monotonic() - startedMs) / 1000);
    };
    try {
      const mounted = await this.mountOne(pod, volume);
      ended('success', mounted);
      return mounted;
    } catch (error) {
      ended('fail-unknown');
      throw error;
    }
  }

  private async mountOne(pod: Pod, volume: Volume): Promise<MountedVolume> {
    if (volume.persistentVolumeClaim || volume.ephemeral) return this.claims.mount(pod, volume);
    try {
      const path = volume.hostPath
        ? await mountHostPath(volume.hostPath)
        : await this.makeFolder(pod, volume);
      return { path, readOnly: false };
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      throw new VolumeError(`MountVolume.SetUp failed for volume "${volume.name}" : ${text}`, {
        cause: error,
      });
    }
  }

  private async makeFolder(pod: Pod, volume: Volume): Promise<string> {
    const kind = pluginOf(volume);
    const plugin = PLUGINS[kind];
    if (plugin === undefined) throw new VolumeError(`volume source ${kind} is not modelled`);
    const dir = join(volumesDir(this.paths, uidOf(pod)), plugin, volume.name);
    if (volume.emptyDir?.medium === 'Memory')
      await makeInMemory(
        dir,
        join(memoryDir(this.paths.rootDir, uidOf(pod)), volume.name),
        memorySize(pod, volume),
      );
    await mkdir(dir, { recursive: true });
    // A file system in memory is as the kernel makes it.
    await chmod(dir, volume.emptyDir?.medium === 'Memory' ? 0o1777 : 0o777);
    await giveToGroup(dir, pod.spec.securityContext?.fsGroup);
    if (WRITTEN.has(kind)) await this.write(pod, volume, dir);
    return dir;
  }

  private async write(pod: Pod, volume: Volume, dir: string): Promise<void> {
    const files = await this.filesOf(pod, volume, this.sources(pod));
    await writeAtomically(
      dir,
      new Map(files.map(([path, file]) => [path, forGroup(pod, file)])),
      this.options.clock.now(),
    );
  }

  private async filesOf(pod: Pod, volume: Volume, sources: PayloadSources): Promise<Files> {
    const { configMap, secret, downwardAPI, projected } = volume;
    if (configMap)
      return configMapFiles(pod, configMap, configMap.defaultMode ?? DEFAULT_MODE, sources);
    if (secret)
      return secretFiles(
        pod,
        { ...secret, name: secret.secretName },
        secret.defaultMode ?? DEFAULT_MODE,
        sources,
      );
    if (downwardAPI)
      return downwardFiles(
        pod,
        downwardAPI.items ?? [],
        downwardAPI.defaultMode ?? DEFAULT_MODE,
        sources,
      );
    const mode = projected?.defaultMode ?? DEFAULT_MODE;
    const lists = await Promise.all(
      (projected?.sources ?? []).map((one) => projectionFiles(pod, one, mode, sources)),
    );
    return lists.flat();
  }
}
