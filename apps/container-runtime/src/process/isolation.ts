import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Propagation } from './propagation.js';

/**
 * How a host command is kept apart: `root` and `user` = a private mount and uts namespace with a root of its own;
 * `none` = in the container's folder, with paths rewritten.
 */
export type Isolation = 'root' | 'user' | 'none';

/** The options of unshare(1) for each. */
export const unshareFlags = (
  kind: 'root' | 'user',
  propagation: Propagation,
): readonly string[] => [
  ...(kind === 'user' ? ['--user', '--map-root-user'] : []),
  '--mount',
  '--uts',
  '--propagation',
  propagation,
];

/** Of namespaces that never pass mounts back to the host. */
export const UNSHARE_FLAGS: Readonly<Record<'root' | 'user', readonly string[]>> = {
  root: unshareFlags('root', 'private'),
  user: unshareFlags('user', 'private'),
};

/** The options of nsenter(1) that lead to the namespaces of a command that was kept apart so. */
export const joinFlags = (kind: 'root' | 'user', pid: number): readonly string[] => [
  `--target=${pid}`,
  ...(kind === 'user' ? ['--user', '--preserve-credentials'] : []),
  '--mount',
  '--uts',
];

const SEARCH = ['/usr/bin', '/bin', '/usr/sbin', '/sbin'];

/** Where the host has a tool; undefined when it has not. */
export function findTool(name: string): string | undefined {
  return SEARCH.map((folder) => `${folder}/${name}`).find((path) => existsSync(path));
}

/** Tries what this machine allows, the strongest first. */
export function probeIsolation(): Isolation {
  const unshare = findTool('unshare');
  const mount = findTool('mount');
  if (!unshare || !mount || !findTool('chroot')) return 'none';
  for (const kind of ['root', 'user'] as const)
    try {
      execFileSync(
        unshare,
        [
          ...UNSHARE_FLAGS[kind],
          '/bin/sh',
          '-c',
          `${mount} --bind /usr /mnt && ${mount} --rbind /dev /mnt`,
        ],
        { stdio: 'ignore', timeout: 5_000 },
      );
      return kind;
    } catch {
      // Not allowed here: the next weaker one.
    }
  return 'none';
}
