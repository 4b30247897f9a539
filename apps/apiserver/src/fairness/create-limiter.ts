import { parseDuration } from '@orrery/component';
import type { ServerServices } from '../extensions.js';
import type { ClusterViews } from '../live-view/cluster-views.js';
import { FlowControl } from './flow-control.js';
import type { Limiter } from './limiter.js';
import { MaxInFlight } from './max-in-flight.js';

/** Priority and fairness, or two plain limits where it is turned off. */
export function createLimiter(
  { options, clock }: Pick<ServerServices, 'options' | 'clock'>,
  { flowSchemas, priorityLevels }: Pick<ClusterViews, 'flowSchemas' | 'priorityLevels'>,
): Limiter {
  const { maxRequestsInflight: reads, maxMutatingRequestsInflight: writes } = options;
  if (!options.enablePriorityAndFairness) return new MaxInFlight({ reads, writes });
  return new FlowControl({
    schemas: flowSchemas,
    levels: priorityLevels,
    clock,
    seats: reads + writes,
    // k8s apiserver pkg/server/config.go: a quarter of the request's time may go on waiting.
    maxWaitMs: (parseDuration(options.requestTimeout) ?? 60_000) / 4,
  });
}
