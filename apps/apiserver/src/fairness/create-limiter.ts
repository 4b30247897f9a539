import { parseDuration } from '@orrery/component';
import type { ServerServices } from '../extensions.js';
import type { ClusterViews } from '../live-view/cluster-views.js';
import type { PathHandler } from '../subresources.js';
import { fairnessDumps } from './dump-levels.js';
import { FlowControl } from './flow-control.js';
import type { Limiter } from './limiter.js';
import { MaxInFlight } from './max-in-flight.js';
import { StoredSizes } from './stored-sizes.js';

export interface Limits {
  readonly limiter: Limiter;
  /** Where its state can be read. */
  readonly paths: readonly PathHandler[];
}

/** Priority and fairness, or two plain limits where it is turned off. */
export function createLimiter(
  services: ServerServices,
  { flowSchemas, priorityLevels }: Pick<ClusterViews, 'flowSchemas' | 'priorityLevels'>,
): Limits {
  const { options, clock, signal, metrics, storage } = services;
  const { maxRequestsInflight: reads, maxMutatingRequestsInflight: writes } = options;
  if (!options.enablePriorityAndFairness)
    return { limiter: new MaxInFlight({ reads, writes }), paths: [] };
  const sizes = new StoredSizes({
    storage,
    clock,
    keyPrefix: `${options.etcdPrefix.replace(/\/+$/, '')}/`,
    kinds: () => services.kinds(),
  });
  const limiter = new FlowControl({
    schemas: flowSchemas,
    levels: priorityLevels,
    clock,
    signal,
    metrics,
    seats: reads + writes,
    // k8s apiserver pkg/server/config.go: a quarter of the request's time may go on waiting.
    maxWaitMs: (parseDuration(options.requestTimeout) ?? 60_000) / 4,
    sizeOf: (info) => sizes.of(info),
  });
  return { limiter, paths: fairnessDumps(limiter) };
}
