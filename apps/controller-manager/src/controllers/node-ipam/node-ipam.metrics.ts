import { exponentialBuckets } from '@orrery/component';
import type { Metrics } from '@orrery/component';
import type { CidrBlocks } from './cidr-blocks.js';

const SUBSYSTEM = 'node_ipam_controller';

type Range = Pick<CidrBlocks, 'range' | 'count'>;

/** What is counted of the blocks of a range. */
export interface BlockMeters {
  /** A block is in use; `tries` says how many others were looked at, unless it was in use before. */
  taken(range: Range, tries?: number): void;
  released(range: Range): void;
}

/** k8s pkg/controller/nodeipam/ipam/cidrset/metrics.go; the odd texts and the name `cirdset` are upstream's. */
export function createBlockMeters(metrics: Metrics, ranges: readonly Range[]): BlockMeters {
  const labels = ['clusterCIDR'] as const;
  const allocations = metrics.counter({
    name: `${SUBSYSTEM}_cidrset_cidrs_allocations_total`,
    help: 'Counter measuring total number of CIDR allocations.',
    labels,
  });
  const releases = metrics.counter({
    name: `${SUBSYSTEM}_cidrset_cidrs_releases_total`,
    help: 'Counter measuring total number of CIDR releases.',
    labels,
  });
  const usage = metrics.gauge({
    name: `${SUBSYSTEM}_cidrset_usage_cidrs`,
    help: 'Gauge measuring percentage of allocated CIDRs.',
    labels,
  });
  const most = metrics.gauge({
    name: `${SUBSYSTEM}_cirdset_max_cidrs`,
    help: 'Maximum number of CIDRs that can be allocated.',
    labels,
  });
  const tried = metrics.histogram({
    name: `${SUBSYSTEM}_cidrset_allocation_tries_per_request`,
    help: 'Number of endpoints added on each Service sync',
    labels,
    buckets: exponentialBuckets(1, 5, 5),
  });
  for (const { range, count } of ranges) most.set({ clusterCIDR: range }, count);
  return {
    taken({ range: clusterCIDR, count }, tries) {
      allocations.inc({ clusterCIDR });
      usage.inc({ clusterCIDR }, 1 / count);
      if (tries !== undefined) tried.observe({ clusterCIDR }, tries);
    },
    released({ range: clusterCIDR, count }) {
      releases.inc({ clusterCIDR });
      usage.dec({ clusterCIDR }, 1 / count);
    },
  };
}
