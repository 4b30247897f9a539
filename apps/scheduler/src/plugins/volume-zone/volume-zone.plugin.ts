import type { Node, PersistentVolume } from '@orrery/api';
import { StateKey } from '../../framework/cycle-state.js';
import type { PluginEntry } from '../../framework/plugin.js';
import { skip, success, unresolvable } from '../../framework/status.js';
import { claimsOf } from '../volume-binding/claims.js';

const NAME = 'VolumeZone';
const REFUSED = 'node(s) had no available volume zone';

const GA: Readonly<Record<string, string>> = {
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
};
const KEYS = [...Object.keys(GA), ...Object.values(GA)];

interface Place {
  readonly key: string;
  readonly values: readonly string[];
}

const placesOf = ({ metadata }: PersistentVolume): Place[] =>
  KEYS.flatMap((key) => {
    const value = metadata.labels?.[key];
    return value === undefined ? [] : [{ key, values: value.split('__') }];
  });

/** The node's label, under its old name or its new one. */
const placeOf = ({ metadata }: Node, key: string): string | undefined =>
  metadata.labels?.[key] ?? metadata.labels?.[GA[key] ?? ''];

const places = new StateKey<readonly Place[]>(NAME);

/** Volumes that name zones in their labels are used there (k8s volumezone/volume_zone.go). */
export const volumeZone: PluginEntry = {
  name: NAME,
  create: ({ listers }) => ({
    name: NAME,
    events: [{ on: ['StorageClass', 'NodeAdd', 'NodeLabel', 'Claim', 'Volume'] }],
    preFilter(state, { pod, namespace }) {
      const all = claimsOf(pod).flatMap(({ name }) => {
        const volumeName = listers.claims.get({ namespace, name })?.spec?.volumeName;
        const volume = volumeName ? listers.volumes.get({ name: volumeName }) : undefined;
        return volume ? placesOf(volume) : [];
      });
      if (all.length === 0) return { status: skip };
      state.set(places, all);
      return { status: success };
    },
    filter(state, _pod, { node }) {
      if (!node || !KEYS.some((key) => node.metadata.labels?.[key] !== undefined)) return success;
      const fits = (state.get(places) ?? []).every(({ key, values }) => {
        const place = placeOf(node, key);
        return place !== undefined && values.includes(place);
      });
      return fits ? success : unresolvable(REFUSED);
    },
  }),
};
