import { invalid } from '@orrery/apimachinery';
import type { FieldError, FieldPath } from '@orrery/apimachinery';
import type { PersistentVolumeClaim, Pod } from '@orrery/api';
import { IsDefined, IsInt, IsOptional, IsString } from 'class-validator';
import type { ClusterEvent, EventHint } from '../../framework/cluster-event.js';
import { newOf, oldOf } from '../../framework/cluster-event.js';
import type { CSIDriver, CSIStorageCapacity } from '../../framework/listed-kinds.js';
import { StateKey } from '../../framework/cycle-state.js';
import { readArgs } from '../../framework/plugin-args.js';
import type { PluginEntry } from '../../framework/plugin.js';
import { failed, skip, success, unresolvable } from '../../framework/status.js';
import type { Status } from '../../framework/status.js';
import { bindVolumes } from './bind-volumes.js';
import { claimsOf, sortClaims } from './claims.js';
import type { PodClaims } from './claims.js';
import { largestVolume } from './storage-capacity.js';
import { checkBound, planVolumes } from './volume-plan.js';
import type { VolumePlan } from './volume-plan.js';

const NAME = 'VolumeBinding';

class VolumeBindingArgs {
  @IsOptional() @IsString() apiVersion?: string;
  @IsOptional() @IsString() kind?: string;
  @IsOptional() @IsInt() bindTimeoutSeconds: number = 600;
  @IsOptional() @IsDefined() shape?: unknown;
}

function checkArgs(
  { bindTimeoutSeconds, shape }: VolumeBindingArgs,
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  if (bindTimeoutSeconds < 0)
    errors.push(
      invalid(
        path.child('bindTimeoutSeconds'),
        bindTimeoutSeconds,
        'invalid BindTimeoutSeconds, should not be a negative value',
      ),
    );
  if (shape !== undefined)
    errors.push(
      invalid(
        path.child('shape'),
        shape,
        'unexpected field `shape`, remove it or turn on the feature gate StorageCapacityScoring',
      ),
    );
  return errors;
}

const claims = new StateKey<PodClaims>(`${NAME}/claims`);
const reserved = new StateKey<VolumePlan>(`${NAME}/plan`);

/** Only claims that the pod uses can help it. */
function isItsClaim(pod: Pod, event: ClusterEvent): boolean {
  const { namespace, name } = newOf<PersistentVolumeClaim>(event).metadata;
  return namespace === pod.metadata.namespace && claimsOf(pod).some((claim) => claim.name === name);
}

/** Larger volumes can be made than before (k8s isSchedulableAfterCSIStorageCapacityChange). */
function hasGrown(_pod: Pod, event: ClusterEvent): boolean {
  const old = oldOf<CSIStorageCapacity>(event);
  return !old || (largestVolume(newOf(event)) ?? 0) > (largestVolume(old) ?? 0);
}

/** The driver no longer tells how much room it has, so nothing is refused for it. */
const stoppedTelling = (_pod: Pod, event: ClusterEvent): boolean =>
  oldOf<CSIDriver>(event)?.spec.storageCapacity === true &&
  newOf<CSIDriver>(event).spec.storageCapacity !== true;

const EVENTS: readonly EventHint[] = [
  { on: ['Claim'], helps: isItsClaim },
  { on: ['StorageCapacity'], helps: hasGrown },
  { on: ['CsiDriver'], helps: stoppedTelling },
  { on: ['Volume', 'StorageClass', 'NodeAdd', 'NodeLabel', 'CsiNode'] },
];

/** A pod waits for its claims to be bound, or has them bound where it goes, and goes where its volumes can be reached. */
export const volumeBinding: PluginEntry = {
  name: NAME,
  create({ listers, client, clock, volumeStageFailed }, args) {
    const { bindTimeoutSeconds } = readArgs(VolumeBindingArgs, args, checkArgs);
    /** Volumes that decisions of ours took and the watch does not show as taken yet. */
    const assumed = new Set<string>();
    const release = (plan: VolumePlan | undefined): void => {
      for (const { volume } of plan?.bindings ?? []) assumed.delete(volume.metadata.name ?? '');
    };
    const failedAt = (stage: 'assume' | 'bind', status: Status): Status => {
      volumeStageFailed(stage);
      return status;
    };
    return {
      name: NAME,
      events: EVENTS,
      preFilter(state, { pod }) {
        if (claimsOf(pod).length === 0) return { status: skip };
        const found = sortClaims(pod, listers);
        if ('code' in found) return { status: found };
        state.set(claims, found);
        return { status: success };
      },
      filter(state, _pod, { node }) {
        const found = state.get(claims);
        if (!found || !node) return success;
        const refused = checkBound(found.bound, node, listers);
        if (refused) return unresolvable(refused);
        const plan = planVolumes(found, node, listers, assumed);
        return typeof plan === 'string' ? unresolvable(plan) : success;
      },
      reserve(state, _pod, nodeName) {
        const found = state.get(claims);
        const node = listers.nodes.get({ name: nodeName });
        if (!found || !node || found.delayed.length === 0) return success;
        const plan = planVolumes(found, node, listers, assumed);
        if (typeof plan === 'string') return failedAt('assume', unresolvable(plan));
        for (const { volume } of plan.bindings) assumed.add(volume.metadata.name ?? '');
        state.set(reserved, plan);
        return success;
      },
      unreserve(state) {
        release(state.get(reserved));
      },
      preBindPreFlight: (state) => (state.get(reserved) ? success : skip),
      async preBind(state, _pod, nodeName, signal) {
        const plan = state.get(reserved);
        if (!plan) return skip;
        try {
          const timeoutMs = bindTimeoutSeconds * 1000;
          await bindVolumes(plan, nodeName, { client, clock, listers, timeoutMs }, signal);
          return success;
        } catch (error) {
          return failedAt('bind', failed(error));
        }
      },
      postBind(state) {
        release(state.get(reserved));
      },
    };
  },
};
