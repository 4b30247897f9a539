import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Mount } from '@orrery/cri';
import type { ProgramName } from '../catalog/catalog.js';
import type { ProgramContext } from './program.js';

/** Where a container's files are on the host. */
export interface ContainerFiles {
  readonly mounts: readonly Pick<Mount, 'containerPath' | 'hostPath'>[];
  readonly rootfs: string;
  /** Paths of what the image holds. */
  readonly files: readonly string[];
}

/** What a program in a process of its own is told of its container. */
export interface ProgramJob {
  readonly program: ProgramName;
  readonly context: Omit<ProgramContext, 'log' | 'clock' | 'hostPathOf'>;
  readonly files: ContainerFiles;
  readonly delayMs: number;
}

export const encodeJob = (job: ProgramJob): string => JSON.stringify(job);

export const decodeJob = (text: string): ProgramJob => JSON.parse(text) as ProgramJob;

/**
 * The host's path of a file below one of the volumes, the deepest that holds it; or of a file beside what the image holds,
 * once the container has a root of its own.
 */
export function hostPathIn(
  { mounts, rootfs, files }: ContainerFiles,
  path: string,
): string | undefined {
  const mount = mounts
    .filter(({ containerPath }) => path === containerPath || path.startsWith(`${containerPath}/`))
    .sort((a, b) => b.containerPath.length - a.containerPath.length)[0];
  if (mount) return join(mount.hostPath, path.slice(mount.containerPath.length));
  const isOfImage = files.some((file) => `${path}/`.startsWith(`${dirname(file)}/`));
  return isOfImage && existsSync(rootfs) ? join(rootfs, path) : undefined;
}
