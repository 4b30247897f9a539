type Labels = Readonly<Record<string, string>>;

interface About {
  readonly name: string;
  readonly help: string;
}

interface Value {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** What a registry of prom-client asks of a metric. */
interface Collected extends About {
  readonly type: 'counter' | 'histogram';
  readonly values: Value[];
  readonly aggregator: 'sum';
}

/** The child with these labels, in whatever order they are told. */
function childOf<T>(children: Map<string, T>, labels: Labels, make: () => T): T {
  const key = JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
  const known = children.get(key);
  if (known) return known;
  const made = make();
  children.set(key, made);
  return made;
}

/** A counter for hot paths: its labels are told once, not each time that it counts. */
export class Tally {
  readonly name: string;
  readonly #children = new Map<string, { readonly labels: Labels; count: number }>();

  constructor(private readonly about: About) {
    this.name = about.name;
  }

  /** What counts one, or so many, with these labels; to be kept by the caller. */
  of(labels: Labels): (by?: number) => void {
    const child = childOf(this.#children, labels, () => ({ labels, count: 0 }));
    return (by = 1) => {
      child.count += by;
    };
  }

  get(): Promise<Collected> {
    const values = [...this.#children.values()]
      .filter(({ count }) => count > 0)
      .map(({ labels, count }) => ({ labels, value: count }));
    return Promise.resolve({ ...this.about, type: 'counter', values, aggregator: 'sum' });
  }
}

interface Series {
  readonly labels: Labels;
  readonly counts: number[];
  sum: number;
  count: number;
}

/** A histogram of the same sort. */
export class TalliedHistogram {
  readonly name: string;
  readonly #series = new Map<string, Series>();

  constructor(
    private readonly about: About,
    private readonly buckets: readonly number[],
  ) {
    this.name = about.name;
  }

  /** What takes a value with these labels; to be kept by the caller. */
  of(labels: Labels): (value: number) => void {
    const { buckets } = this;
    const series = childOf(this.#series, labels, () => ({
      labels,
      counts: buckets.map(() => 0),
      sum: 0,
      count: 0,
    }));
    return (value) => {
      series.sum += value;
      series.count += 1;
      let at = 0;
      while (at < buckets.length && value > (buckets[at] as number)) at += 1;
      if (at < buckets.length) series.counts[at] = (series.counts[at] ?? 0) + 1;
    };
  }

  get(): Promise<Collected> {
    const series = [...this.#series.values()].filter(({ count }) => count > 0);
    const values = series.flatMap((one) => this.#lines(one));
    return Promise.resolve({ ...this.about, type: 'histogram', values, aggregator: 'sum' });
  }

  #lines({ labels, counts, sum, count }: Series): Value[] {
    const { name } = this;
    let below = 0;
    const buckets = this.buckets.map((le, i) => {
      below += counts[i] ?? 0;
      return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: below };
    });
    return [
      ...buckets,
      { metricName: `${name}_bucket`, labels: { le: '+Inf', ...labels }, value: count },
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: count },
    ];
  }
}
