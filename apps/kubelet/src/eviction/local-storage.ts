import { join } from 'node:path';
import type { Container, Pod, Volume } from '@orrery/api';
import { formatQuantity, parseQuantity } from '@orrery/apimachinery';
import { toNumber } from '../containers/downward.js';
import { isSidecar, uidOf } from '../containers/visit.js';
import type { ContainerUsage } from '../runtime/runtime.js';
import type { MountedVolume } from '../volumes/claims.js';
import { folderUsage } from '../volumes/disk-usage.js';

const RESOURCE = 'ephemeral-storage';

/** Bytes that a pod holds on the node's disk. */
export interface PodStorage {
  /** What each container has written, its logs included. */
  readonly containers: ReadonlyMap<string, number>;
  /** emptyDirs and copies of ConfigMaps, by volume. */
  readonly volumes: ReadonlyMap<string, number>;
  /** Files and folders of all these on the disk, which no volume in memory takes. */
  readonly inodes: number;
}

export interface StorageSources {
  readonly usage: readonly ContainerUsage[];
  readonly logDir: string;
  readonly mounts: ReadonlyMap<string, MountedVolume>;
}

const isMemory = ({ emptyDir }: Volume): boolean => emptyDir?.medium === 'Memory';

/** k8s pkg/volume/util/util.go:IsLocalEphemeralVolume; memory is counted too, for sizeLimit. */
const isLocal = (volume: Volume): boolean =>
  volume.emptyDir !== undefined || volume.configMap !== undefined;

const longRunning = ({ spec }: Pod): Container[] => [
  ...spec.containers,
  ...(spec.initContainers ?? []).filter(isSidecar),
];

const limitOf = (container: Container): number => toNumber(container.resources?.limits?.[RESOURCE]);

/** Whether anything of this pod has a limit on the disk, so that it must be measured. */
export const hasStorageLimit = (pod: Pod): boolean =>
  longRunning(pod).some((one) => limitOf(one) > 0) ||
  (pod.spec.volumes ?? []).some(({ emptyDir }) => emptyDir?.sizeLimit !== undefined);

export async function measureStorage(pod: Pod, sources: StorageSources): Promise<PodStorage> {
  const uid = uidOf(pod);
  let inodes = 0;
  const containers = new Map<string, number>();
  for (const { name } of longRunning(pod)) {
    const own = sources.usage.find((one) => one.podUid === uid && one.container === name);
    const logs = await folderUsage(join(sources.logDir, name));
    containers.set(name, logs.bytes + (own?.writableLayerBytes ?? 0));
    inodes += logs.inodes + (own?.writableLayerInodes ?? 0);
  }
  const volumes = new Map<string, number>();
  for (const volume of (pod.spec.volumes ?? []).filter(isLocal)) {
    const mounted = sources.mounts.get(volume.name);
    if (!mounted) continue;
    const usage = await folderUsage(mounted.path);
    volumes.set(volume.name, usage.bytes);
    if (!isMemory(volume)) inodes += usage.inodes;
  }
  return { containers, volumes, inodes };
}

/** Of the disk; volumes in memory are none of it. */
export function totalOf(pod: Pod, { containers, volumes }: PodStorage): number {
  let total = 0;
  for (const used of containers.values()) total += used;
  for (const volume of pod.spec.volumes ?? [])
    if (!isMemory(volume)) total += volumes.get(volume.name) ?? 0;
  return total;
}

/** The sum of the containers' limits in the notation of the first. */
function sumText(containers: readonly Container[]): string {
  const limits = containers.flatMap((one) => one.resources?.limits?.[RESOURCE] ?? []);
  const [first, ...rest] = limits.map((text) => parseQuantity(text));
  if (!first) return '0';
  const nanos = rest.reduce((sum, one) => sum + one.nanos, first.nanos);
  return formatQuantity({ ...first, nanos });
}

export interface Exceeded {
  /** Upstream's name of what was exceeded, for metrics. */
  readonly signal: 'emptydirfs.limit' | 'ephemeralpodfs.limit' | 'ephemeralcontainerfs.limit';
  readonly message: string;
}

function emptyDirOf(pod: Pod, { volumes }: PodStorage): Exceeded | undefined {
  const over = (pod.spec.volumes ?? []).find(({ name, emptyDir }) => {
    const limit = toNumber(emptyDir?.sizeLimit);
    return limit > 0 && (volumes.get(name) ?? 0) > limit;
  });
  return over?.emptyDir?.sizeLimit === undefined
    ? undefined
    : {
        signal: 'emptydirfs.limit',
        message: `Usage of EmptyDir volume "${over.name}" exceeds the limit "${over.emptyDir.sizeLimit}". `,
      };
}

/** The first limit on the disk that a pod exceeds (k8s pkg/kubelet/eviction/eviction_manager.go:localStorageEviction). Pure. */
export function exceededLimit(pod: Pod, storage: PodStorage): Exceeded | undefined {
  const volume = emptyDirOf(pod, storage);
  if (volume) return volume;
  const containers = longRunning(pod);
  const limit = containers.reduce((sum, one) => sum + limitOf(one), 0);
  if (limit > 0 && totalOf(pod, storage) > limit)
    return {
      signal: 'ephemeralpodfs.limit',
      message: `Pod ephemeral local storage usage exceeds the total limit of containers ${sumText(containers)}. `,
    };
  const over = containers.find(
    (one) => limitOf(one) > 0 && (storage.containers.get(one.name) ?? 0) > limitOf(one),
  );
  return over
    ? {
        signal: 'ephemeralcontainerfs.limit',
        message: `Container ${over.name} exceeded its local ephemeral storage limit "${over.resources?.limits?.[RESOURCE] ?? ''}". `,
      }
    : undefined;
}
