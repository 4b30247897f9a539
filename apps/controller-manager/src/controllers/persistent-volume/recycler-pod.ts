import { parseQuantity, quantityValue } from '@orrery/apimachinery';
import type { PersistentVolume, Pod } from '@orrery/api';

const NAMESPACE = 'default';
const PREFIX = 'recycler-for-';
/** For which release of the volume the pod works: that of which claim. */
const RELEASE = 'pv.kubernetes.io/recycled-of';

/** Seconds in all at least, and for each GiB (k8s pkg/volume: RecyclerMinimumTimeout, RecyclerTimeoutIncrement). */
const MIN_SECONDS = 60;
const SECONDS_PER_GIB = 30;
const GIB = 2 ** 30;

const SCRUB =
  'test -e /scrub && find /scrub -mindepth 1 -delete && test -z "$(ls -A /scrub)" || exit 1';

export const recyclerKey = ({ metadata }: PersistentVolume) => ({
  namespace: NAMESPACE,
  name: `${PREFIX}${metadata.name ?? ''}`,
});

/** The volumes that a pod recycles. */
export const recycledBy = ({ metadata: { namespace, name = '' } }: Pod): { name: string }[] =>
  namespace === NAMESPACE && name.startsWith(PREFIX) ? [{ name: name.slice(PREFIX.length) }] : [];

const releaseOf = ({ spec }: PersistentVolume): string => spec?.claimRef?.uid ?? '';

/** False for a pod of an earlier release, and for one that somebody else made. */
export const isRecyclerOf = (pod: Pod, volume: PersistentVolume): boolean =>
  pod.metadata.annotations?.[RELEASE] === releaseOf(volume);

function secondsFor({ spec }: PersistentVolume): number {
  const size = quantityValue(parseQuantity(String(spec?.capacity?.['storage'] ?? '0')));
  return Math.max(MIN_SECONDS, Math.floor(size / GIB) * SECONDS_PER_GIB);
}

/** Empties the folder behind a volume (k8s pkg/volume/plugins.go:NewPersistentVolumeRecyclerPodTemplate). */
export function recyclerPod(volume: PersistentVolume): Pod {
  const { namespace, name } = recyclerKey(volume);
  return {
    metadata: { namespace, name, annotations: { [RELEASE]: releaseOf(volume) } },
    spec: {
      activeDeadlineSeconds: secondsFor(volume),
      restartPolicy: 'Never',
      volumes: [{ name: 'vol', hostPath: { path: volume.spec?.hostPath?.path ?? '' } }],
      containers: [
        {
          name: 'pv-recycler',
          image: 'busybox:1.27',
          command: ['/bin/sh'],
          args: ['-c', SCRUB],
          volumeMounts: [{ name: 'vol', mountPath: '/scrub' }],
        },
      ],
    },
  };
}

export type Recycling =
  | { readonly step: 'begin' }
  | { readonly step: 'wait' }
  /** Some other pod has the name. */
  | { readonly step: 'clear' }
  | { readonly step: 'done' }
  | { readonly step: 'failed'; readonly message: string };

/** Pure: how far recycling is. */
export function recyclingOf(volume: PersistentVolume, pod: Pod | undefined): Recycling {
  if (!pod) return { step: 'begin' };
  if (pod.metadata.deletionTimestamp) return { step: 'wait' };
  if (!isRecyclerOf(pod, volume)) return { step: 'clear' };
  switch (pod.status?.phase) {
    case 'Succeeded':
      return { step: 'done' };
    case 'Failed': {
      const why = pod.status.message ?? 'pod failed, pod.Status.Message unknown';
      return { step: 'failed', message: `Recycle failed: failed to recycle volume: ${why}` };
    }
    default:
      return { step: 'wait' };
  }
}
