import { chmod, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostPathVolumeSource, Pod, Volume } from '@orrery/api';
import { podDir, podsDir, volumesDir } from '../containers/paths.js';
import type { KubeletPaths } from '../containers/paths.js';
import { allContainers, uidOf } from '../containers/visit.js';
import { writeAtomically } from './atomic-writer.js';
import type { VolumeFile } from './atomic-writer.js';
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

function pluginOf(volume: Volume): string {
  return Object.keys(volume).find((key) => key !== 'name') ?? 'emptyDir';
}

async function kindOfPath(
  path: string,
): Promise<'dir' | 'file' | 'socket' | 'char' | 'block' | 'none'> {
  const found = await stat(path).catch(() => undefined);
  if (!found) return 'none';
  if (found.isDirectory()) return 'dir';
  if (found.isSocket()) return 'socket';
  if (found.isCharacterDevice()) return 'char';
  return found.isBlockDevice() ? 'block' : 'file';
}

const REQUIRED: Readonly<Record<string, readonly [kind: string, text: string]>> = {
  Directory: ['dir', 'a directory'],
  DirectoryOrCreate: ['dir', 'a directory'],
  File: ['file', 'a file'],
  FileOrCreate: ['file', 'a file'],
  Socket: ['socket', 'a socket file'],
  CharDevice: ['char', 'a character device'],
  BlockDevice: ['block', 'a block device'],
};

/** Checks or makes the path by its `type` (k8s pkg/volume/hostpath/host_path.go). */
async function mountHostPath({ path, type = '' }: HostPathVolumeSource): Promise<string> {
  const kind = await kindOfPath(path);
  const required = REQUIRED[type];
  if (!required) return path;
  if (kind === 'none' && type === 'DirectoryOrCreate')
    await mkdir(path, { recursive: true, mode: 0o755 });
  else if (kind === 'none' && type === 'FileOrCreate') await (await open(path, 'a')).close();
  else if (kind !== required[0])
    throw new VolumeError(`hostPath type check failed: ${path} is not ${required[1]}`);
  return path;
}

/** Sets up, refreshes and removes the volumes of pods. */
export class VolumeManager {
  private readonly mounted = new Map<string, Map<string, string>>();

  constructor(
    private readonly paths: KubeletPaths,
    private readonly sources: (pod: Pod) => PayloadSources,
  ) {}

  /** Host folders of the pod's volumes by name. Idempotent; rejects with VolumeError naming the volume. */
  async mount(pod: Pod): Promise<ReadonlyMap<string, string>> {
    const known = this.mounted.get(uidOf(pod));
    if (known) return known;
    await mkdir(podDir(this.paths, uidOf(pod)), { recursive: true, mode: 0o750 });
    const used = new Set(
      allContainers(pod).flatMap((one) => (one.volumeMounts ?? []).map((mount) => mount.name)),
    );
    const result = new Map<string, string>();
    for (const volume of pod.spec.volumes ?? [])
      if (used.has(volume.name)) result.set(volume.name, await this.mountOne(pod, volume));
    this.mounted.set(uidOf(pod), result);
    return result;
  }

  /** The folders of an earlier mount(). */
  mountsOf(pod: Pod): ReadonlyMap<string, string> {
    return this.mounted.get(uidOf(pod)) ?? new Map<string, string>();
  }

  /** Brings the files of mounted ConfigMaps, Secrets, tokens and downward API volumes up to date. */
  async refresh(pod: Pod): Promise<void> {
    const known = this.mounted.get(uidOf(pod));
    for (const volume of pod.spec.volumes ?? []) {
      const dir = known?.get(volume.name);
      if (dir === undefined || this.isStatic(pod, volume)) continue;
      await this.write(pod, volume, dir);
    }
  }

  /** Removes all that the pod left in the kubelet's folder. */
  async remove(uid: string): Promise<void> {
    this.mounted.delete(uid);
    await rm(podDir(this.paths, uid), { recursive: true, force: true });
  }

  /** Uids of pods that have a folder. */
  async present(): Promise<string[]> {
    return readdir(podsDir(this.paths)).catch(() => []);
  }

  private isStatic(pod: Pod, volume: Volume): boolean {
    const plugin = pluginOf(volume);
    if (plugin === 'emptyDir' || plugin === 'hostPath') return true;
    // A subPath is resolved once, when the container is made; upstream does not update such mounts either.
    return !allContainers(pod).some((one) =>
      one.volumeMounts?.some((mount) => mount.name === volume.name && !mount.subPath),
    );
  }

  private async mountOne(pod: Pod, volume: Volume): Promise<string> {
    try {
      if (volume.hostPath) return await mountHostPath(volume.hostPath);
      const plugin = PLUGINS[pluginOf(volume)];
      if (plugin === undefined)
        throw new VolumeError(`volume source ${pluginOf(volume)} is not modelled`);
      const dir = join(volumesDir(this.paths, uidOf(pod)), plugin, volume.name);
      await mkdir(dir, { recursive: true });
      await chmod(dir, 0o777);
      if (!volume.emptyDir && pluginOf(volume) !== 'emptyDir') await this.write(pod, volume, dir);
      return dir;
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      throw new VolumeError(`MountVolume.SetUp failed for volume "${volume.name}" : ${text}`, {
        cause: error,
      });
    }
  }

  private async write(pod: Pod, volume: Volume, dir: string): Promise<void> {
    const files = await this.filesOf(pod, volume, this.sources(pod));
    await writeAtomically(dir, new Map(files));
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
