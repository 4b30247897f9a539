import { join } from 'node:path';
import type { Pod } from '@orrery/api';
import { uidOf } from './visit.js';

/** Where a kubelet keeps things; upstream's layout below --root-dir. */
export interface KubeletPaths {
  readonly rootDir: string;
  readonly podLogsDir: string;
  /** The log files of this machine that `/logs/` serves; without it there is none. */
  readonly systemLogsDir?: string;
}

export const podsDir = (paths: KubeletPaths): string => join(paths.rootDir, 'pods');
export const podDir = (paths: KubeletPaths, uid: string): string => join(podsDir(paths), uid);
export const volumesDir = (paths: KubeletPaths, uid: string): string =>
  join(podDir(paths, uid), 'volumes');

/** `<namespace>_<name>_<uid>`, as the log collectors of clusters expect. */
export const podLogDir = (paths: KubeletPaths, pod: Pod): string =>
  join(
    paths.podLogsDir,
    `${pod.metadata.namespace ?? ''}_${pod.metadata.name ?? ''}_${uidOf(pod)}`,
  );

/** Relative to the pod's log folder. */
export const containerLogPath = (container: string, attempt: number): string =>
  `${container}/${attempt}.log`;

/** A path inside a volume that does not leave it, or undefined. */
export function safeJoin(base: string, relative: string): string | undefined {
  if (relative.startsWith('/') || relative.split('/').includes('..')) return undefined;
  return join(base, relative);
}
