import type { PluginEntry } from '../framework/plugin.js';
import { defaultBinder } from './default-binder/default-binder.plugin.js';
import { defaultPreemption } from './default-preemption/default-preemption.plugin.js';
import { dynamicResources } from './dynamic-resources/dynamic-resources.plugin.js';
import { imageLocality } from './image-locality/image-locality.plugin.js';
import { interPodAffinity } from './inter-pod-affinity/inter-pod-affinity.plugin.js';
import { nodeAffinity } from './node-affinity/node-affinity.plugin.js';
import { nodeDeclaredFeatures } from './node-declared-features/node-declared-features.plugin.js';
import { nodeName } from './node-name/node-name.plugin.js';
import { nodePorts } from './node-ports/node-ports.plugin.js';
import { nodeResourcesBalancedAllocation } from './node-resources-balanced-allocation/node-resources-balanced-allocation.plugin.js';
import { nodeResourcesFit } from './node-resources-fit/node-resources-fit.plugin.js';
import { nodeUnschedulable } from './node-unschedulable/node-unschedulable.plugin.js';
import { nodeVolumeLimits } from './node-volume-limits/node-volume-limits.plugin.js';
import { podTopologySpread } from './pod-topology-spread/pod-topology-spread.plugin.js';
import { prioritySort } from './priority-sort/priority-sort.plugin.js';
import { schedulingGates } from './scheduling-gates/scheduling-gates.plugin.js';
import { taintToleration } from './taint-toleration/taint-toleration.plugin.js';
import { volumeBinding } from './volume-binding/volume-binding.plugin.js';
import { volumeRestrictions } from './volume-restrictions/volume-restrictions.plugin.js';
import { volumeZone } from './volume-zone/volume-zone.plugin.js';

/** The default profile: every plugin, in the order in which each extension point runs them. */
export const PLUGINS: readonly PluginEntry[] = [
  schedulingGates,
  prioritySort,
  nodeUnschedulable,
  nodeName,
  taintToleration,
  nodeAffinity,
  nodePorts,
  nodeResourcesFit,
  volumeRestrictions,
  nodeVolumeLimits,
  volumeBinding,
  volumeZone,
  podTopologySpread,
  interPodAffinity,
  dynamicResources,
  defaultPreemption,
  nodeResourcesBalancedAllocation,
  imageLocality,
  defaultBinder,
  nodeDeclaredFeatures,
];
