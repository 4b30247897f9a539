import type { EndpointSlice } from '@orrery/api';
import { exponentialBuckets } from '@orrery/component';
import type { Metrics } from '@orrery/component';
import type { ResolvedPort } from './service-pods.js';
import { groupKey } from './slice-packing.js';
import type { SlicePlan } from './slice-packing.js';

interface SliceCountOptions {
  /** The first part of the names. */
  readonly subsystem: string;
  /** Endpoints of one slice. */
  readonly most: number;
  /** Of what the slices are made. */
  readonly of: 'Service' | 'Endpoints';
}

interface Efficiency {
  readonly endpoints: number;
  readonly slices: number;
  readonly desired: number;
}

interface Observer {
  observe(value: number): void;
}

const addressesOf = ({ endpoints }: EndpointSlice): string[] =>
  (endpoints ?? []).map(({ addresses }) => addresses[0] ?? '');

/** Addresses by the ports under which they are served: one address may have several. */
function groupsOf(slices: readonly EndpointSlice[]): Map<string, Set<string>> {
  const groups = new Map<string, Set<string>>();
  for (const slice of slices) {
    const key = groupKey(slice.addressType, (slice.ports ?? []) as ResolvedPort[]);
    const group = groups.get(key) ?? new Set<string>();
    for (const address of addressesOf(slice)) group.add(address);
    groups.set(key, group);
  }
  return groups;
}

/** The slices that there will be. */
function after(existing: readonly EndpointSlice[], plan: SlicePlan): EndpointSlice[] {
  const changed = new Map(plan.update.map((slice) => [slice.metadata.name, slice]));
  const gone = new Set(plan.remove.map(({ metadata }) => metadata.name));
  const kept = existing.filter(({ metadata }) => !gone.has(metadata.name));
  return [...kept.map((slice) => changed.get(slice.metadata.name) ?? slice), ...plan.create];
}

/** Pure: endpoints that are new, that stay, and that are no more. */
export function movesOf(
  existing: readonly EndpointSlice[],
  plan: SlicePlan,
): { readonly added: number; readonly removed: number } {
  const [before, then] = [groupsOf(existing), groupsOf(after(existing, plan))];
  const lacking = (some: Map<string, Set<string>>, others: Map<string, Set<string>>): number =>
    [...some].reduce((sum, [key, addresses]) => {
      const known = others.get(key);
      return sum + [...addresses].filter((address) => !known?.has(address)).length;
    }, 0);
  return { added: lacking(then, before), removed: lacking(before, then) };
}

/**
 * Pure: how well the endpoints are packed (k8s endpointslice/metrics/cache.go); for a Service one slice is
 * always wanted, as a placeholder.
 */
export function efficiencyOf(
  existing: readonly EndpointSlice[],
  plan: SlicePlan,
  { most, of }: Pick<SliceCountOptions, 'most' | 'of'>,
): Efficiency {
  const slices = after(existing, plan);
  const sizes = [...groupsOf(slices).values()].map(({ size }) => size);
  const desired = sizes.reduce((sum, size) => sum + Math.ceil(size / most), 0);
  return {
    endpoints: sizes.reduce((sum, size) => sum + size, 0),
    slices: slices.length,
    desired: Math.max(desired, of === 'Service' ? 1 : 0),
  };
}

/** What both controllers that make slices count. */
export class SliceCounts {
  readonly #known = new Map<string, Efficiency>();
  readonly #added: Observer;
  readonly #removed: Observer;
  readonly #changes;

  constructor(
    metrics: Metrics,
    private readonly options: SliceCountOptions,
  ) {
    const { subsystem, of } = options;
    const perSync = (what: 'added' | 'removed'): Observer =>
      metrics.histogram({
        name: `${subsystem}_endpoints_${what}_per_sync`,
        help: `Number of endpoints ${what} on each ${of} sync`,
        buckets: exponentialBuckets(2, 2, 15),
      });
    this.#added = perSync('added');
    this.#removed = perSync('removed');
    this.#changes = metrics.counter({
      name: `${subsystem}_changes`,
      help: 'Number of EndpointSlice changes',
      labels: ['operation'],
    });
    this.#gauge(metrics, 'endpoints_desired', 'Number of endpoints desired', 'endpoints');
    this.#gauge(metrics, 'num_endpoint_slices', 'Number of EndpointSlices', 'slices');
    const perfect = 'Number of EndpointSlices that would exist with perfect endpoint allocation';
    this.#gauge(metrics, 'desired_endpoint_slices', perfect, 'desired');
  }

  #gauge(metrics: Metrics, name: string, help: string, what: keyof Efficiency): void {
    metrics.gauge({
      name: `${this.options.subsystem}_${name}`,
      help,
      collect: (gauge) => {
        gauge.set([...this.#known.values()].reduce((sum, each) => sum + each[what], 0));
      },
    });
  }

  planned(key: string, existing: readonly EndpointSlice[], plan: SlicePlan): void {
    const { added, removed } = movesOf(existing, plan);
    this.#added.observe(added);
    this.#removed.observe(removed);
    this.#known.set(key, efficiencyOf(existing, plan, this.options));
  }

  written(operation: 'create' | 'update' | 'delete'): void {
    this.#changes.inc({ operation });
  }

  forget(key: string): void {
    this.#known.delete(key);
  }
}
