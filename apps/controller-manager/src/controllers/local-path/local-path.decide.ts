import { posix } from 'node:path';
import type {
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeSpec,
  StorageClass,
} from '@orrery/api';
import {
  PROVISIONED_BY,
  SELECTED_NODE,
  STORAGE_PROVISIONER,
} from '../persistent-volume/annotations.js';
import { classOf } from '../persistent-volume/match-volume.js';

export const PROVISIONER = 'rancher.io/local-path';
/** The node a volume lies on; its folder is emptied there. */
export const VOLUME_NODE = 'local.path.provisioner/selected-node';
const HOSTNAME = 'kubernetes.io/hostname';
const SINGLE_WRITER: ReadonlySet<string> = new Set(['ReadWriteOnce', 'ReadWriteOncePod']);

export class CannotProvision extends Error {
  override readonly name = 'CannotProvision';
}

/** Folder of the volumes of one node. */
export const folderOf = (pattern: string, node: string): string =>
  pattern.replaceAll('{node}', node);

export const volumeName = ({ metadata }: PersistentVolumeClaim): string =>
  `pvc-${metadata.uid ?? ''}`;

/** Pure: whether the claim waits for this provisioner. */
export const isWanted = ({ metadata, spec }: PersistentVolumeClaim): boolean =>
  metadata.annotations?.[STORAGE_PROVISIONER] === PROVISIONER &&
  !spec?.volumeName &&
  !metadata.deletionTimestamp;

export interface ProvisionWorld {
  readonly claim: PersistentVolumeClaim;
  readonly storage: StorageClass;
  readonly node: Node | undefined;
  readonly folder: string;
}

/** The node to put the volume on; throws {@link CannotProvision}. */
function checkedNode({ claim: { spec }, node }: ProvisionWorld): Node {
  if (spec?.selector) throw new CannotProvision('claim.Spec.Selector is not supported');
  if (!(spec?.accessModes ?? []).every((mode) => SINGLE_WRITER.has(mode)))
    throw new CannotProvision(
      'NodePath only supports ReadWriteOnce and ReadWriteOncePod (1.22+) access modes',
    );
  if (!node) throw new CannotProvision('configuration error, no node was specified');
  return node;
}

const onHost = (host: string): NonNullable<PersistentVolumeSpec['nodeAffinity']> => ({
  required: {
    nodeSelectorTerms: [{ matchExpressions: [{ key: HOSTNAME, operator: 'In', values: [host] }] }],
  },
});

/** Pure: the volume for a claim; throws {@link CannotProvision}. */
export function newVolume(world: ProvisionWorld): PersistentVolume {
  const { claim, storage, folder } = world;
  const { namespace = '', name = '', uid = '' } = claim.metadata;
  const node = checkedNode(world);
  const nodeName = node.metadata.name ?? '';
  const path = posix.join(folderOf(folder, nodeName), `${volumeName(claim)}_${namespace}_${name}`);
  const { accessModes, resources, volumeMode } = claim.spec ?? {};
  return {
    metadata: {
      name: volumeName(claim),
      annotations: { [PROVISIONED_BY]: PROVISIONER, [VOLUME_NODE]: nodeName },
    },
    spec: {
      accessModes: accessModes ?? [],
      capacity: { storage: resources?.requests?.['storage'] ?? '0' },
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid },
      hostPath: { path, type: 'DirectoryOrCreate' },
      nodeAffinity: onHost(node.metadata.labels?.[HOSTNAME] ?? nodeName),
      persistentVolumeReclaimPolicy: storage.reclaimPolicy === 'Retain' ? 'Retain' : 'Delete',
      storageClassName: classOf(claim),
      volumeMode: volumeMode ?? 'Filesystem',
      ...(storage.mountOptions ? { mountOptions: storage.mountOptions } : {}),
    },
  };
}

export const selectedNode = ({ metadata }: PersistentVolumeClaim): string | undefined =>
  metadata.annotations?.[SELECTED_NODE];

/** A folder to remove, and where. */
export interface Leftover {
  readonly node: string;
  readonly path: string;
}

/** Pure: what a released volume leaves behind, if this provisioner is to remove it; never a path outside of its folder. */
export function leftoverOf(volume: PersistentVolume, pattern: string): Leftover | undefined {
  const { annotations, deletionTimestamp } = volume.metadata;
  const { hostPath, persistentVolumeReclaimPolicy } = volume.spec ?? {};
  const node = annotations?.[VOLUME_NODE];
  if (annotations?.[PROVISIONED_BY] !== PROVISIONER || !node || deletionTimestamp) return undefined;
  if (persistentVolumeReclaimPolicy !== 'Delete' || volume.status?.phase !== 'Released')
    return undefined;
  const path = posix.normalize(hostPath?.path ?? '');
  const inside = posix.dirname(path) === posix.normalize(folderOf(pattern, node));
  return inside && posix.basename(path).startsWith('pvc-') ? { node, path } : undefined;
}
