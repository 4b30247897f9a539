import { join } from 'node:path';
import type { Mount } from '@orrery/cri';
import type { ProgramName } from '../catalog/catalog.js';
import type { ProgramContext } from './program.js';

/** What a program in a process of its own is told of its container. */
export interface ProgramJob {
  readonly program: ProgramName;
  readonly context: Omit<ProgramContext, 'log' | 'clock' | 'hostPathOf'>;
  readonly mounts: readonly Pick<Mount, 'containerPath' | 'hostPath'>[];
  readonly delayMs: number;
}

export const encodeJob = (job: ProgramJob): string => JSON.stringify(job);

export const decodeJob = (text: string): ProgramJob => JSON.parse(text) as ProgramJob;

/** The host's path of a file below one of the volumes, the deepest that holds it. */
export function hostPathIn(mounts: ProgramJob['mounts'], path: string): string | undefined {
  const mount = mounts
    .filter(({ containerPath }) => path === containerPath || path.startsWith(`${containerPath}/`))
    .sort((a, b) => b.containerPath.length - a.containerPath.length)[0];
  return mount && join(mount.hostPath, path.slice(mount.containerPath.length));
}
