import { chmod, chown, lstat, readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '@orrery/api';
import { allContainers } from '../containers/visit.js';
import type { VolumeFile } from './atomic-writer.js';

const TOKEN_MODE = 0o600;
/** What the pod's group may do with a volume that is read-only (k8s pkg/volume/volume_linux.go:roMask). */
const GROUP_MODE = 0o440;

const groupOf = ({ spec }: Pod): number | undefined => spec.securityContext?.fsGroup;

/** The user as whom all containers run; undefined when there is no such one (k8s pkg/volume/util/util.go:FsUserFrom). */
export function fsUserOf(pod: Pod): number | undefined {
  const users = new Set(
    allContainers(pod).map(
      ({ securityContext }) => securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser,
    ),
  );
  const [only] = users;
  return users.size === 1 ? only : undefined;
}

/** A token is for that user, or for the pod's group, alone (k8s pkg/volume/projected/projected.go:collectData). */
export const tokenModeOf = (pod: Pod, mode: number): number =>
  fsUserOf(pod) !== undefined || groupOf(pod) !== undefined ? TOKEN_MODE : mode;

/** The same file for the pod's group, when it has one (k8s pkg/volume/volume_linux.go:SetVolumeOwnership). */
export function forGroup(pod: Pod, file: VolumeFile): VolumeFile {
  const gid = groupOf(pod);
  return gid === undefined ? file : { ...file, gid, mode: file.mode | GROUP_MODE };
}

/** What the group may do with a file and with a folder that can be written to (k8s pkg/volume/volume_linux.go:rwMask). */
const FILE_MODE = 0o660;
const FOLDER_MODE = 0o2770;

/** The folder last, so that one which was left half done is not taken for one that is done. */
async function giveBelow(path: string, gid: number): Promise<void> {
  const state = await lstat(path);
  if (state.isSymbolicLink()) return;
  if (state.isDirectory())
    for (const name of await readdir(path)) await giveBelow(join(path, name), gid);
  await chown(path, state.uid, gid);
  await chmod(path, (state.mode & 0o7777) | (state.isDirectory() ? FOLDER_MODE : FILE_MODE));
}

/** A whole volume for the pod's group, where the kubelet may say so (k8s pkg/volume/volume_linux.go:SetVolumeOwnership). */
export async function giveVolume(pod: Pod, volume: string): Promise<void> {
  const gid = groupOf(pod);
  if (gid === undefined || process.geteuid?.() !== 0) return;
  const path = await realpath(volume);
  if (pod.spec.securityContext?.fsGroupChangePolicy === 'OnRootMismatch') {
    const root = await lstat(path);
    if (root.gid === gid && root.isDirectory() && (root.mode & FOLDER_MODE) === FOLDER_MODE) return;
  }
  await giveBelow(path, gid);
}
