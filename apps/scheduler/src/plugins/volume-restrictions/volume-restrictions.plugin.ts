import type { Pod, Volume } from '@orrery/api';
import type { NodeCounts } from '../../cache/node-counts.js';
import { oldOf } from '../../framework/cluster-event.js';
import { StateKey } from '../../framework/cycle-state.js';
import type { Listers, PluginEntry } from '../../framework/plugin.js';
import { skip, success, unschedulable } from '../../framework/status.js';
import { claimsOf } from '../volume-binding/claims.js';

const NAME = 'VolumeRestrictions';
const DISK = 'node(s) had no available disk';
const ONCE =
  'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode';

/** The disk that a volume attaches by itself; `shared` when others may read it too. */
interface Disk {
  readonly ids: readonly string[];
  readonly shared: boolean;
}

/** k8s volumerestrictions/volume_restrictions.go:isVolumeConflict. */
function diskOf(volume: Volume): Disk | undefined {
  const { gcePersistentDisk: gce, awsElasticBlockStore: aws, iscsi, rbd } = volume;
  if (gce) return { ids: [`gce ${gce.pdName}`], shared: gce.readOnly ?? false };
  if (aws) return { ids: [`aws ${aws.volumeID}`], shared: false };
  if (iscsi) return { ids: [`iscsi ${iscsi.iqn}`], shared: iscsi.readOnly ?? false };
  if (rbd) {
    const ids = rbd.monitors.map((each) => `rbd ${each} ${rbd.pool ?? 'rbd'} ${rbd.image}`);
    return { ids, shared: rbd.readOnly ?? false };
  }
  return undefined;
}

const disksOf = ({ spec }: Pod): Disk[] =>
  (spec.volumes ?? []).flatMap((volume) => diskOf(volume) ?? []);

const collide = (a: Disk, b: Disk): boolean =>
  !(a.shared && b.shared) && a.ids.some((id) => b.ids.includes(id));

interface Restrictions {
  readonly disks: readonly Disk[];
  /** Of claims that one pod alone may use. */
  readonly users: readonly NodeCounts[];
  /** Users that preemption took away (or a nomination added). */
  changes: number;
}

const restrictions = new StateKey<Restrictions>(NAME, (value) => ({ ...value }));

/** What is known of claims that one pod alone may use. */
function sharing({ claims }: Pick<Listers, 'claims'>): {
  readonly exclusiveClaims: (pod: Pod) => string[];
  readonly shares: (pod: Pod, other: Pod) => number;
} {
  const exclusiveClaims = (pod: Pod): string[] =>
    claimsOf(pod)
      .map(({ name }) => name)
      .filter((name) => {
        const { namespace = '' } = pod.metadata;
        const modes: readonly string[] = claims.get({ namespace, name })?.spec?.accessModes ?? [];
        return modes.includes('ReadWriteOncePod');
      });
  const shares = (pod: Pod, other: Pod): number =>
    pod.metadata.namespace === other.metadata.namespace
      ? exclusiveClaims(pod).filter((name) => claimsOf(other).some((each) => each.name === name))
          .length
      : 0;
  return { exclusiveClaims, shares };
}

/** Disks that cannot be attached twice, and claims for one pod alone. */
export const volumeRestrictions: PluginEntry = {
  name: NAME,
  create({ nodes, listers }) {
    const { exclusiveClaims, shares } = sharing(listers);
    return {
      name: NAME,
      events: [
        { on: ['NodeAdd', 'Claim'] },
        {
          on: ['AssignedPodDelete'],
          helps: (pod, event) => {
            const gone = oldOf<Pod>(event);
            if (!gone) return true;
            const freed = disksOf(gone);
            return (
              shares(pod, gone) > 0 ||
              disksOf(pod).some((disk) => freed.some((each) => collide(disk, each)))
            );
          },
        },
      ],
      preFilter(state, { pod, namespace }) {
        const disks = disksOf(pod);
        const users = exclusiveClaims(pod).map((name) =>
          nodes.counts({
            key: `claim ${namespace}/${name}`,
            namespaces: new Set([namespace]),
            matches: (other) => claimsOf(other.pod).some((each) => each.name === name),
          }),
        );
        if (disks.length === 0 && users.length === 0) return { status: skip };
        state.set(restrictions, { disks, users, changes: 0 });
        return { status: success };
      },
      addPod(state, { pod }, added) {
        const own = state.get(restrictions);
        if (own) own.changes += shares(pod, added.pod);
      },
      removePod(state, { pod }, removed) {
        const own = state.get(restrictions);
        if (own) own.changes -= shares(pod, removed.pod);
      },
      filter(state, _pod, node) {
        const own = state.get(restrictions);
        if (!own) return success;
        for (const other of own.disks.length > 0 ? node.pods.values() : [])
          for (const disk of disksOf(other.pod))
            if (own.disks.some((each) => collide(each, disk))) return unschedulable(DISK);
        const users = own.users.reduce((sum, { total }) => sum + total, own.changes);
        return users > 0 ? unschedulable(ONCE) : success;
      },
    };
  },
};
