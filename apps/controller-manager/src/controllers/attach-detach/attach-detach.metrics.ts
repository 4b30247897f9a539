import type { PersistentVolume, VolumeAttachment } from '@orrery/api';
import type { Metrics } from '@orrery/component';
import type { AttachCaches } from './attach-detach.reconciler.js';
import { isTerminated } from '../../pods/pod-state.js';
import { pluginOf } from '../persistent-volume/persistent-volume.metrics.js';
import { claimsOfPod } from '../pvc-protection/claims-of-pod.js';

/** Tells that a volume is detached although a kubelet may have it mounted, and why. */
export type ForcedDetach = (reason: 'timeout' | 'out-of-service') => void;

interface Use {
  readonly node: string;
  readonly volume: PersistentVolume;
}

/** Volumes that pods use through claims, with the node of each. */
function usesOf({ pods, claims, volumes }: AttachCaches): Use[] {
  return pods.list().flatMap((pod) => {
    const { nodeName: node } = pod.spec ?? {};
    if (!node || isTerminated(pod)) return [];
    return claimsOfPod(pod).flatMap((name) => {
      const claim = claims.get({ namespace: pod.metadata.namespace ?? '', name });
      const volume = claim?.spec?.volumeName && volumes.get({ name: claim.spec.volumeName });
      return volume ? [{ node, volume }] : [];
    });
  });
}

/** Pure: what a CSI driver has to attach, once for each node. */
function desired(caches: AttachCaches): string[] {
  const wanted = usesOf(caches).filter(
    ({ volume: { spec } }) =>
      spec?.csi && caches.drivers.get({ name: spec.csi.driver })?.spec.attachRequired !== false,
  );
  const once = new Map(wanted.map((u) => [`${u.node}|${u.volume.metadata.name}`, u]));
  return [...once.values()].map(({ volume }) => pluginOf(volume));
}

const isAttached = ({ status }: VolumeAttachment): boolean => status?.attached === true;

/** k8s pkg/controller/volume/attachdetach/metrics/metrics.go. */
export function createAttachMeters(metrics: Metrics, caches: AttachCaches): ForcedDetach {
  metrics.gauge({
    name: 'storage_count_attachable_volumes_in_use',
    help: 'Measure number of volumes in use',
    labels: ['node', 'volume_plugin'],
    collect: (gauge) => {
      gauge.reset();
      for (const { node, volume } of usesOf(caches))
        gauge.inc({ node, volume_plugin: pluginOf(volume) });
    },
  });
  metrics.gauge({
    name: 'attachdetach_controller_total_volumes',
    help: 'Number of volumes in A/D Controller',
    labels: ['plugin_name', 'state'],
    collect: (gauge) => {
      gauge.reset();
      for (const plugin_name of desired(caches))
        gauge.inc({ plugin_name, state: 'desired_state_of_world' });
      for (const attachment of caches.attachments.list().filter(isAttached))
        gauge.inc({
          plugin_name: `kubernetes.io/csi:${attachment.spec.attacher}`,
          state: 'actual_state_of_world',
        });
    },
  });
  const forced = metrics.counter({
    name: 'attach_detach_controller_attachdetach_controller_forced_detaches',
    help: 'Number of times the A/D Controller performed a forced detach',
    labels: ['reason'],
  });
  return (reason) => {
    forced.inc({ reason });
  };
}
