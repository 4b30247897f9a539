import { exponentialBuckets } from '@orrery/component';
import type { Metrics } from '@orrery/component';
import type { PluginMeters } from '../framework/plugin-meters.js';
import type { DeviceWait } from '../framework/plugin.js';
import { byLabels } from './by-labels.js';

export interface AllPluginMeters extends Omit<PluginMeters, 'now'> {
  deviceWait(wait: DeviceWait): void;
  /** A claim was to be made for extended resources. */
  claimCreated(status: 'success' | 'failure'): void;
  /** A step of a volume's way to its pod failed: upstream's assume and bind. */
  volumeStageFailed(operation: 'assume' | 'bind'): void;
}

/** From 10 µs, finely: plugins take little time, and often. */
const FINE = exponentialBuckets(0.00001, 1.5, 20);

/** Devices and volumes that are made ready before a pod is bound. */
function createWaits(
  metrics: Metrics,
): Pick<AllPluginMeters, 'permitted' | 'deviceWait' | 'claimCreated' | 'volumeStageFailed'> {
  const permit = metrics.talliedHistogram({
    name: 'scheduler_permit_wait_duration_seconds',
    help: 'Duration of waiting on permit.',
    buckets: exponentialBuckets(0.001, 2, 15),
  });
  const allocations = metrics.tally({
    name: 'scheduler_dra_bindingconditions_allocations_total',
    help: 'Number of allocations using devices with BindingConditions, counted per driver per scheduling attempt',
  });
  const attaching = metrics.talliedHistogram({
    name: 'scheduler_dra_bindingconditions_wait_duration_seconds',
    help: 'Time in seconds spent waiting for BindingConditions to be satisfied during PreBind.',
    buckets: exponentialBuckets(0.1, 2, 14),
  });
  const claims = metrics.tally({
    name: 'scheduler_resourceclaim_creates_total',
    help: 'Number of ResourceClaims creation requests within scheduler',
  });
  const stages = metrics.tally({
    name: 'scheduler_volume_scheduling_stage_error_total',
    help: 'Volume scheduling stage error count',
  });
  const permitTook = byLabels(['result'], (labels) => permit.of(labels));
  return {
    permitted: (result, seconds) => {
      permitTook(result)(seconds);
    },
    deviceWait: ({ seconds, ...labels }) => {
      allocations.of({ ...labels })();
      attaching.of({ ...labels })(seconds);
    },
    claimCreated: (status) => {
      claims.of({ status, admin_access: 'false' })();
    },
    volumeStageFailed: (operation) => {
      stages.of({ operation })();
    },
  };
}

/** Extension points and the plugins at them. */
export function createPluginMeters(metrics: Metrics): AllPluginMeters {
  const points = metrics.talliedHistogram({
    name: 'scheduler_framework_extension_point_duration_seconds',
    help: 'Latency for running all plugins of a specific extension point.',
    buckets: exponentialBuckets(0.0001, 2, 12),
  });
  const plugins = metrics.talliedHistogram({
    name: 'scheduler_plugin_execution_duration_seconds',
    help: 'Duration for running a plugin at a specific extension point.',
    buckets: FINE,
  });
  const evaluations = metrics.tally({
    name: 'scheduler_plugin_evaluation_total',
    help: 'Number of attempts to schedule pods by each plugin and the extension point (available only in PreFilter, Filter, PreScore, and Score).',
  });
  const hints = metrics.talliedHistogram({
    name: 'scheduler_queueing_hint_execution_duration_seconds',
    help: 'Duration for running a queueing hint function of a plugin.',
    buckets: FINE,
  });
  const pointTook = byLabels(['extension_point', 'status', 'profile'], (of) => points.of(of));
  const pluginTook = byLabels(['plugin', 'extension_point', 'status'], (of) => plugins.of(of));
  const hintTook = byLabels(['plugin', 'event', 'hint'], (of) => hints.of(of));
  return {
    ...createWaits(metrics),
    point(point, code, profile, seconds) {
      pointTook(point, code, profile)(seconds);
    },
    plugin(plugin, point, code, seconds) {
      pluginTook(plugin, point, code)(seconds);
    },
    evaluations: (plugin, point, profile) =>
      evaluations.of({ plugin, extension_point: point, profile }),
    hinted(plugin, event, helps, seconds) {
      hintTook(plugin, event, helps ? 'Queue' : 'QueueSkip')(seconds);
    },
  };
}
