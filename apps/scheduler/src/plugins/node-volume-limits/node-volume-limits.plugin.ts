import type { Pod } from '@orrery/api';
import { oldOf } from '../../framework/cluster-event.js';
import type { Listers, PluginEntry } from '../../framework/plugin.js';
import { skip, success, unschedulable } from '../../framework/status.js';
import { claimsOf } from '../volume-binding/claims.js';

const NAME = 'NodeVolumeLimits';
const REFUSED = 'node(s) exceed max volume count';

interface Attached {
  readonly driver: string;
  /** The same for all users of one volume. */
  readonly id: string;
}

/** The CSI volumes that a pod needs attached; one that is not made yet counts for its provisioner. */
function volumesOf(pod: Pod, { claims, volumes, storageClasses }: Listers): Attached[] {
  const { namespace = '' } = pod.metadata;
  return claimsOf(pod).flatMap(({ name }): Attached[] => {
    const claim = claims.get({ namespace, name });
    if (!claim) return [];
    const { volumeName, storageClassName = '' } = claim.spec ?? {};
    const csi = volumeName ? volumes.get({ name: volumeName })?.spec?.csi : undefined;
    if (csi) return [{ driver: csi.driver, id: `${csi.driver}/${csi.volumeHandle}` }];
    if (volumeName) return [];
    const driver = storageClasses.get({ name: storageClassName })?.provisioner;
    return driver ? [{ driver, id: `${driver}/${namespace}/${name}` }] : [];
  });
}

/** No more volumes of a CSI driver on a node than it says it can attach (k8s nodevolumelimits/csi.go). */
export const nodeVolumeLimits: PluginEntry = {
  name: NAME,
  create: ({ listers }) => ({
    name: NAME,
    events: [
      { on: ['NodeAdd', 'CsiNode', 'Claim'] },
      {
        on: ['AssignedPodDelete'],
        helps: (_pod, event) => {
          const gone = oldOf<Pod>(event);
          return !gone || claimsOf(gone).length > 0;
        },
      },
    ],
    preFilter: (_state, { pod }) => ({ status: claimsOf(pod).length === 0 ? skip : success }),
    filter(_state, { pod }, node) {
      const drivers = listers.csiNodes.get({ name: node.name })?.spec.drivers ?? [];
      const limits = new Map(
        drivers.flatMap(({ name, allocatable }) =>
          allocatable?.count === undefined ? [] : [[name, allocatable.count] as const],
        ),
      );
      if (limits.size === 0) return success;
      const there = new Map<string, string>();
      for (const other of node.pods.values())
        for (const { driver, id } of volumesOf(other.pod, listers)) there.set(id, driver);
      const wanted = volumesOf(pod, listers).filter(({ id }) => !there.has(id));
      const used = new Map<string, number>();
      for (const driver of there.values()) used.set(driver, (used.get(driver) ?? 0) + 1);
      const added = new Map(wanted.map(({ id, driver }) => [id, driver]));
      for (const driver of added.values()) {
        const count = (used.get(driver) ?? 0) + 1;
        used.set(driver, count);
        if (count > (limits.get(driver) ?? Infinity)) return unschedulable(REFUSED);
      }
      return success;
    },
  }),
};
