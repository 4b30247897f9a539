import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { Metric } from 'prom-client';
import { TalliedHistogram, Tally } from './tallies.js';
import { KUBERNETES_MAJOR, KUBERNETES_MINOR, KUBERNETES_VERSION } from './version.js';

export interface MetricOptions<L extends string = string> {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly L[];
}

export interface HistogramOptions<L extends string = string> extends MetricOptions<L> {
  /** Upper bounds; default prom-client's. */
  readonly buckets?: readonly number[];
}

export interface GaugeOptions<L extends string = string> extends MetricOptions<L> {
  /** Sets the values each time that somebody asks for them; default they stay as they were set. */
  readonly collect?: (gauge: Gauge<L>) => void;
}

export interface TalliedHistogramOptions extends Pick<MetricOptions, 'name' | 'help'> {
  readonly buckets: readonly number[];
}

/** A component's metrics; asking twice for a name gives the same metric. */
export interface Metrics {
  counter<L extends string>(options: MetricOptions<L>): Counter<L>;
  gauge<L extends string>(options: GaugeOptions<L>): Gauge<L>;
  histogram<L extends string>(options: HistogramOptions<L>): Histogram<L>;
  /** A counter for hot paths. */
  tally(options: Pick<MetricOptions, 'name' | 'help'>): Tally;
  /** A histogram for hot paths. */
  talliedHistogram(options: TalliedHistogramOptions): TalliedHistogram;
  /** Prometheus' text format. */
  text(): Promise<string>;
  readonly contentType: string;
}

export const METRICS = Symbol('Metrics');

class RegistryMetrics implements Metrics {
  constructor(private readonly registry: Registry) {}

  get contentType(): string {
    return this.registry.contentType;
  }

  counter<L extends string>({ name, help, labels = [] }: MetricOptions<L>): Counter<L> {
    const known = this.registry.getSingleMetric(name) as Counter<L> | undefined;
    return known ?? new Counter({ name, help, labelNames: labels, registers: [this.registry] });
  }

  gauge<L extends string>({ name, help, labels = [], collect }: GaugeOptions<L>): Gauge<L> {
    const known = this.registry.getSingleMetric(name) as Gauge<L> | undefined;
    if (known) return known;
    const gauge: Gauge<L> = new Gauge({
      name,
      help,
      labelNames: labels,
      registers: [this.registry],
      ...(collect
        ? {
            collect: () => {
              collect(gauge);
            },
          }
        : {}),
    });
    return gauge;
  }

  histogram<L extends string>(options: HistogramOptions<L>): Histogram<L> {
    const { name, help, labels = [], buckets } = options;
    const known = this.registry.getSingleMetric(name) as Histogram<L> | undefined;
    return (
      known ??
      new Histogram({
        name,
        help,
        labelNames: labels,
        registers: [this.registry],
        ...(buckets ? { buckets: [...buckets] } : {}),
      })
    );
  }

  tally(options: Pick<MetricOptions, 'name' | 'help'>): Tally {
    return this.#known(options, (found) => found instanceof Tally) ?? this.#add(new Tally(options));
  }

  talliedHistogram({ buckets, ...about }: TalliedHistogramOptions): TalliedHistogram {
    const known = this.#known(about, (found) => found instanceof TalliedHistogram);
    return known ?? this.#add(new TalliedHistogram(about, buckets));
  }

  #known<T>({ name }: { name: string }, is: (metric: unknown) => metric is T): T | undefined {
    const metric: unknown = this.registry.getSingleMetric(name);
    return is(metric) ? metric : undefined;
  }

  /** A registry takes whatever has a name and can be collected. */
  #add<T extends Tally | TalliedHistogram>(metric: T): T {
    this.registry.registerMetric(metric as unknown as Metric);
    return metric;
  }

  text(): Promise<string> {
    return this.registry.metrics();
  }
}

/** The metric by which Kubernetes' components name their build (k8s component-base version/metrics). */
function addBuildInfo(registry: Registry): void {
  const info = {
    major: KUBERNETES_MAJOR,
    minor: KUBERNETES_MINOR,
    git_version: KUBERNETES_VERSION,
    platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  };
  new Gauge({
    name: 'kubernetes_build_info',
    help: 'Versions that this process was built as; always 1.',
    labelNames: Object.keys(info),
    registers: [registry],
  }).set(info, 1);
}

/**
 * A registry of its own: several components may run in one process. `process: true` adds the process's metrics and its
 * version.
 */
export function createMetrics(options: { readonly process?: boolean } = {}): Metrics {
  const registry = new Registry();
  if (options.process) {
    collectDefaultMetrics({ register: registry });
    addBuildInfo(registry);
  }
  return new RegistryMetrics(registry);
}
