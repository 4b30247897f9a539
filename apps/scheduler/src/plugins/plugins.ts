import type { PluginEntry } from '../framework/plugin.js';
import { defaultBinder } from './default-binder/default-binder.plugin.js';
import { nodeAffinity } from './node-affinity/node-affinity.plugin.js';
import { nodeName } from './node-name/node-name.plugin.js';
import { nodePorts } from './node-ports/node-ports.plugin.js';
import { nodeResourcesBalancedAllocation } from './node-resources-balanced-allocation/node-resources-balanced-allocation.plugin.js';
import { nodeResourcesFit } from './node-resources-fit/node-resources-fit.plugin.js';
import { nodeUnschedulable } from './node-unschedulable/node-unschedulable.plugin.js';
import { prioritySort } from './priority-sort/priority-sort.plugin.js';
import { schedulingGates } from './scheduling-gates/scheduling-gates.plugin.js';
import { taintToleration } from './taint-toleration/taint-toleration.plugin.js';

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
  nodeResourcesBalancedAllocation,
  defaultBinder,
];
