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
