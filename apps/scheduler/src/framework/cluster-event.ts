import type { KubeObject } from '@orrery/apimachinery';
import type { Pod } from '@orrery/api';
import { revisionOf } from '@orrery/client';

/** What happened in the cluster, as far as it may make a refused pod fit. */
export type ClusterEventName =
  | 'NodeAdd'
  | 'NodeAllocatable'
  | 'NodeLabel'
  | 'NodeTaint'
  | 'NodeCondition'
  | 'NodeDeclaredFeatures'
  | 'NodeDelete'
  | 'AssignedPodAdd'
  | 'AssignedPodUpdate'
  | 'AssignedPodDelete'
  | 'PodUpdate'
  | 'Claim'
  | 'Volume'
  | 'StorageClass'
  | 'CsiNode'
  | 'CsiDriver'
  | 'StorageCapacity'
  | 'ResourceClaim'
  | 'DeviceClass'
  | 'ResourceSlice'
  | 'Namespace'
  | 'Timeout';

export interface ClusterEvent {
  readonly name: ClusterEventName;
  readonly old?: object;
  readonly new?: object;
}

/** Says whether the event may let the pod pass the plugin that refused it; absent = always. */
export interface EventHint {
  readonly on: readonly ClusterEventName[];
  readonly helps?: (pod: Pod, event: ClusterEvent) => boolean;
}

/** For hints about one kind of object. */
export const newOf = <T>(event: ClusterEvent): T => event.new as T;
export const oldOf = <T>(event: ClusterEvent): T | undefined => event.old as T | undefined;

/** The revision of the write that the event tells of. */
export function eventRevision(event: ClusterEvent): number | undefined {
  const object = event.new ?? event.old;
  return object && 'metadata' in object ? revisionOf(object as KubeObject) : undefined;
}
