import { createHash } from 'node:crypto';
import type {
  CSIDriver,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  VolumeAttachment,
} from '@orrery/api';
import { isTerminated } from '../../pods/pod-state.js';
import { claimsOfPod } from '../pvc-protection/claims-of-pod.js';

/** A volume that a node has to reach before pods there can start. */
export interface Attachable {
  /** Of its VolumeAttachment (k8s pkg/volume/csi: getAttachmentName). */
  readonly name: string;
  /** As Node.status lists it. */
  readonly uniqueName: string;
  readonly driver: string;
  readonly volume: PersistentVolume;
  readonly pods: readonly Pod[];
}

export interface AttachWorld {
  readonly node: Node;
  readonly pods: readonly Pod[];
  readonly claimOf: (namespace: string, name: string) => PersistentVolumeClaim | undefined;
  readonly volumeOf: (name: string) => PersistentVolume | undefined;
  readonly driverOf: (name: string) => CSIDriver | undefined;
  /** Of all nodes. */
  readonly attachments: readonly VolumeAttachment[];
  /** Pods of another node, to say who holds a volume. */
  readonly podsOn?: (node: string) => readonly Pod[];
  /** For how long no pod of the node has used what is attached by that name. */
  readonly unusedMs?: (attachment: string) => number;
  /** Never while a kubelet may still have it mounted. */
  readonly neverForce?: boolean;
}

export interface AttachPlan {
  readonly attach: readonly Attachable[];
  /** Volumes that another node holds and that only one may. */
  readonly refused: readonly { readonly volume: Attachable; readonly message: string }[];
  readonly detach: readonly VolumeAttachment[];
  /** Of these, those that a kubelet still has mounted. */
  readonly forced: readonly {
    readonly attachment: VolumeAttachment;
    readonly reason: 'timeout' | 'out-of-service';
  }[];
  /** Volumes that are wanted and whose attachments are there, whether or not they have come about. */
  readonly present: readonly {
    readonly volume: Attachable;
    readonly attachment: VolumeAttachment;
  }[];
  /** Attachments that nobody wants and that a kubelet still has mounted. */
  readonly held: readonly VolumeAttachment[];
  /** What the node's status should list. */
  readonly attached: readonly { readonly name: string; readonly devicePath: string }[];
}

/** After so long a node that is not ready lets go of what it has mounted (k8s attachdetach: maxWaitForUnmountDuration). */
export const MOST_UNMOUNT_MS = 6 * 60_000;
const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service';

const attachmentName = (handle: string, driver: string, node: string): string =>
  `csi-${createHash('sha256').update(`${handle}${driver}${node}`).digest('hex')}`;

const uniqueName = ({ spec }: PersistentVolume): string =>
  `kubernetes.io/csi/${spec?.csi?.driver ?? ''}^${spec?.csi?.volumeHandle ?? ''}`;

/** Volumes that pods of the node use through claims and whose driver wants them attached. */
function wanted(world: AttachWorld): Attachable[] {
  const found = new Map<string, Attachable>();
  const node = world.node.metadata.name ?? '';
  for (const pod of world.pods.filter((one) => !isTerminated(one)))
    for (const volume of volumesOf(pod, world)) {
      const { driver = '', volumeHandle = '' } = volume.spec?.csi ?? {};
      const name = attachmentName(volumeHandle, driver, node);
      const pods = [...(found.get(name)?.pods ?? []), pod];
      found.set(name, { name, uniqueName: uniqueName(volume), driver, volume, pods });
    }
  return [...found.values()];
}

function volumesOf(pod: Pod, world: AttachWorld): PersistentVolume[] {
  const { namespace = '' } = pod.metadata;
  return claimsOfPod(pod).flatMap((name) => {
    const claim = world.claimOf(namespace, name);
    if (claim?.status?.phase !== 'Bound' || !claim.spec?.volumeName) return [];
    const volume = world.volumeOf(claim.spec.volumeName);
    const { csi } = volume?.spec ?? {};
    const needed = csi && world.driverOf(csi.driver)?.spec.attachRequired !== false;
    return volume && needed ? [volume] : [];
  });
}

const isExclusive = ({ spec }: PersistentVolume): boolean => {
  const modes = spec?.accessModes ?? [];
  return !modes.includes('ReadWriteMany') && !modes.includes('ReadOnlyMany');
};

/** Pure: what to attach to a node and what to detach (k8s attachdetach/reconciler). */
export function planAttachments(world: AttachWorld): AttachPlan {
  const { node, attachments } = world;
  const name = node.metadata.name ?? '';
  const all = wanted(world);
  const here = attachments.filter(({ spec }) => spec.nodeName === name);
  const attach: Attachable[] = [];
  const refused: { volume: Attachable; message: string }[] = [];
  for (const volume of all) {
    if (here.some(({ metadata }) => metadata.name === volume.name)) continue;
    const message = heldElsewhere(volume, world);
    if (message) refused.push({ volume, message });
    else attach.push(volume);
  }
  const isWanted = ({ metadata }: VolumeAttachment): boolean =>
    all.some((volume) => volume.name === metadata.name);
  const inUse = new Set(isOutOfService(node) ? [] : node.status?.volumesInUse);
  const nameOf = ({ spec }: VolumeAttachment): string | undefined => {
    const volume = world.volumeOf(spec.source.persistentVolumeName ?? '');
    return volume && uniqueName(volume);
  };
  const isForced = ({ metadata }: VolumeAttachment): boolean =>
    !world.neverForce &&
    !isNodeReady(node) &&
    (world.unusedMs?.(metadata.name ?? '') ?? 0) >= MOST_UNMOUNT_MS;
  const unwanted = here.filter((one) => !isWanted(one) && !one.metadata.deletionTimestamp);
  const held = unwanted.filter((one) => inUse.has(nameOf(one) ?? '') && !isForced(one));
  const detach = unwanted.filter((one) => !held.includes(one));
  const mounted = new Set(node.status?.volumesInUse);
  const forced = detach
    .filter((attachment) => mounted.has(nameOf(attachment) ?? ''))
    .map((attachment) => ({
      attachment,
      reason: isForced(attachment) ? ('timeout' as const) : ('out-of-service' as const),
    }));
  const present = all.flatMap((volume) =>
    here
      .filter(({ metadata }) => metadata.name === volume.name)
      .map((attachment) => ({ volume, attachment })),
  );
  const attached = here
    .filter((attachment) => attachment.status?.attached && !detach.includes(attachment))
    .flatMap((attachment) => {
      const device = nameOf(attachment);
      return device ? [{ name: device, devicePath: '' }] : [];
    });
  attached.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { attach, refused, detach, forced, present, held, attached };
}

/** k8s attachdetach/reconciler:reportMultiAttachError */
function heldElsewhere({ volume, pods }: Attachable, world: AttachWorld): string | undefined {
  const holder = world.attachments.find(
    ({ spec }) => spec.source.persistentVolumeName === volume.metadata.name,
  );
  if (!holder || !isExclusive(volume)) return undefined;
  const namespace = pods[0]?.metadata.namespace;
  const users = (world.podsOn?.(holder.spec.nodeName) ?? []).filter((pod) =>
    volumesOf(pod, world).some(({ metadata }) => metadata.name === volume.metadata.name),
  );
  const near = users.filter(({ metadata }) => metadata.namespace === namespace);
  const names = near.map(({ metadata }) => metadata.name ?? '').join(', ');
  const far = users.length - near.length;
  const said = [
    ...(near.length > 0 ? [`pod(s) ${names}`] : []),
    ...(far > 0 ? [`${far} pod(s) in different namespaces`] : []),
  ].join(' and ');
  const why =
    said === ''
      ? "Volume is already exclusively attached to one node and can't be attached to another"
      : `Volume is already used by ${said}`;
  return `Multi-Attach error for volume "${volume.metadata.name ?? ''}" ${why}`;
}

const isNodeReady = ({ status }: Node): boolean =>
  status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false;

export const isOutOfService = ({ spec }: Node): boolean =>
  (spec?.taints ?? []).some(({ key }) => key === OUT_OF_SERVICE);
