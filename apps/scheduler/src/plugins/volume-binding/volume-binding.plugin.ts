import type { PersistentVolumeClaim, Pod } from '@orrery/api';
import { StateKey } from '../../framework/cycle-state.js';
import { nodeMatchesSelector } from '@orrery/controller';
import type { Listers, PluginEntry } from '../../framework/plugin.js';
import { skip, success, unresolvable } from '../../framework/status.js';
import type { Status } from '../../framework/status.js';

const NAME = 'VolumeBinding';

interface ClaimUse {
  readonly name: string;
  readonly ephemeral: boolean;
}

/** The claims that a pod's volumes name. */
export function claimsOf(pod: Pod): ClaimUse[] {
  const uses: ClaimUse[] = [];
  for (const { name, persistentVolumeClaim, ephemeral } of pod.spec.volumes ?? []) {
    if (persistentVolumeClaim)
      uses.push({ name: persistentVolumeClaim.claimName, ephemeral: false });
    else if (ephemeral) uses.push({ name: `${pod.metadata.name}-${name}`, ephemeral: true });
  }
  return uses;
}

const quoted = (name: string): string => `persistentvolumeclaim ${JSON.stringify(name)}`;

/** Why the claim keeps the pod from any node; undefined when it is bound. */
export function checkClaim(
  { name, ephemeral }: ClaimUse,
  claim: PersistentVolumeClaim | undefined,
): Status | undefined {
  if (!claim)
    return unresolvable(
      ephemeral
        ? `waiting for ephemeral volume controller to create the ${quoted(name)}`
        : `${quoted(name)} not found`,
    );
  if (claim.metadata.deletionTimestamp) return unresolvable(`${quoted(name)} is being deleted`);
  if (claim.status?.phase === 'Lost')
    return unresolvable(
      `${quoted(name)} bound to non-existent persistentvolume ${JSON.stringify(claim.spec?.volumeName ?? '')}`,
    );
  if (claim.status?.phase !== 'Bound')
    return unresolvable('pod has unbound immediate PersistentVolumeClaims');
  return undefined;
}

const volumes = new StateKey<readonly string[]>(NAME);

function findVolumes(pod: Pod, { claims }: Listers): readonly string[] | Status {
  const names: string[] = [];
  for (const use of claimsOf(pod)) {
    const { namespace = '' } = pod.metadata;
    const claim = claims.get({ namespace, name: use.name });
    const refused = checkClaim(use, claim);
    if (refused) return refused;
    names.push(claim?.spec?.volumeName ?? '');
  }
  return names;
}

/** A pod waits for its claims to be bound, and goes where its volumes can be reached. */
export const volumeBinding: PluginEntry = {
  name: NAME,
  create: ({ listers }) => ({
    name: NAME,
    events: [{ on: ['Claim', 'Volume', 'StorageClass', 'NodeAdd', 'NodeLabel'] }],
    preFilter(state, { pod }) {
      const found = findVolumes(pod, listers);
      if ('code' in found) return { status: found };
      if (found.length === 0) return { status: skip };
      state.set(volumes, found);
      return { status: success };
    },
    filter(state, _pod, { node }) {
      for (const name of state.get(volumes) ?? []) {
        const volume = listers.volumes.get({ name });
        if (!volume || !node)
          return unresolvable(
            'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)',
          );
        const required = volume.spec?.nodeAffinity?.required;
        if (required && !nodeMatchesSelector(required, node))
          return unresolvable('node(s) had volume node affinity conflict');
      }
      return success;
    },
  }),
};
