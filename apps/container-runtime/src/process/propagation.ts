import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CriError } from '@orrery/cri';
import type { Mount } from '@orrery/cri';
import type { Isolation } from './isolation.js';

/** How mounts are passed on between the machine and the namespace of a container, as unshare(1) takes it. */
export type Propagation = 'private' | 'slave' | 'unchanged';

const isTwoWay = ({ propagation }: Mount): boolean => propagation === 'PROPAGATION_BIDIRECTIONAL';
const isOneWay = ({ propagation }: Mount): boolean =>
  propagation === 'PROPAGATION_HOST_TO_CONTAINER';

/** Whether what is mounted later below this volume is seen on the other side. */
export const passesOn = (mount: Mount): boolean => isTwoWay(mount) || isOneWay(mount);

/** What the volumes of a container need. */
export function propagationOf(mounts: readonly Mount[]): Propagation {
  if (mounts.some(isTwoWay)) return 'unchanged';
  return mounts.some(isOneWay) ? 'slave' : 'private';
}

export interface MountPoint {
  readonly path: string;
  readonly isShared: boolean;
}

/** The mount that holds a path, from a text such as /proc/self/mountinfo (see proc(5)); the last one at a place is on top. */
export function mountPointOf(path: string, mountInfo: string): MountPoint {
  let found: MountPoint = { path: '/', isShared: false };
  for (const line of mountInfo.split('\n')) {
    const fields = line.split(' ');
    const point = (fields[4] ?? '').replace(/\\(\d{3})/g, (_all, code: string) =>
      String.fromCharCode(Number.parseInt(code, 8)),
    );
    const holds = path === point || path.startsWith(point === '/' ? '/' : `${point}/`);
    if (point === '' || !holds || point.length < found.path.length) continue;
    const optional = fields.slice(6, fields.indexOf('-'));
    found = { path: point, isShared: optional.some((field) => field.startsWith('shared:')) };
  }
  return found;
}

/** Where a path is on this machine, or will be when somebody makes its folders. */
function mountHere(path: string): MountPoint {
  let there = path;
  while (!existsSync(there)) there = dirname(there);
  return mountPointOf(realpathSync(there), readFileSync('/proc/self/mountinfo', 'utf8'));
}

/** Refuses volumes whose mounts cannot reach the machine, as containerd (pkg/cri/opts/spec_linux_opts.go:ensureShared). */
export function checkPropagation(mounts: readonly Mount[], isolation: Isolation): void {
  for (const { hostPath } of mounts.filter(isTwoWay)) {
    const { path, isShared } = mountHere(hostPath);
    const why =
      isolation === 'root'
        ? `path "${hostPath}" is mounted on "${path}" but it is not a shared mount`
        : `mounts of path "${hostPath}" cannot be passed on to this machine without root`;
    if (!isShared || isolation !== 'root')
      throw new CriError('UNKNOWN', `failed to generate container spec: ${why}`);
  }
}

/** A folder of the kernel's on a mount of its own, over which volumes wait until the container's root is made. */
const WAITING = '/proc/tty';

export interface StageOptions {
  readonly rootfs: string;
  readonly mounts: readonly Mount[];
  readonly mount: string;
  readonly quote: (text: string) => string;
}

export interface Stage {
  /** Commands before the first mount of the container's root. */
  readonly first: readonly string[];
  /** The command that puts a volume that passes mounts on to its place. */
  place(volume: Mount, target: string): readonly string[];
  /** Commands after the last. */
  readonly last: readonly string[];
}

/**
 * Volumes that pass on what is mounted are bound while their mount is still shared with the machine; then the mount
 * that holds the container's root is cut off, so that nothing of the root itself reaches the machine, and they are moved.
 */
export function stageOf({ rootfs, mounts, mount, quote }: StageOptions): Stage {
  const staged = mounts.filter(passesOn);
  const at = (volume: Mount): string => quote(join(WAITING, String(staged.indexOf(volume))));
  const file = (volume: Mount): string => `[ -d ${quote(volume.hostPath)} ] || : > ${at(volume)}`;
  const root = quote(rootfs);
  return {
    first: [
      `${mount} --make-private /proc`,
      `${mount} -t tmpfs -o mode=700 orrery ${WAITING} || exit 125`,
      ...staged.flatMap((volume) => [
        `[ ! -d ${quote(volume.hostPath)} ] || mkdir ${at(volume)}`,
        file(volume),
        `${mount} --rbind ${quote(volume.hostPath)} ${at(volume)} || exit 125`,
        ...(isOneWay(volume) ? [`${mount} --make-rslave ${at(volume)} || exit 125`] : []),
      ]),
      `${mount} --make-private ${quote(mountHere(rootfs).path)} || exit 125`,
      `${mount} --bind ${root} ${root} && ${mount} --make-private ${root} || exit 125`,
    ],
    place: (volume, target) => [`${mount} --move ${at(volume)} ${target} || exit 125`],
    last: [`${dirname(mount)}/umount ${WAITING}`],
  };
}
