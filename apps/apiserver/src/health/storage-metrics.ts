import type { KindDescriptor } from '@orrery/api';
import type { Clock, Metrics } from '@orrery/component';

/** k8s apiserver pkg/storage/etcd3/metrics/metrics.go:etcdRequestLatency. */
const BUCKETS = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45,
  60,
];
/** What upstream calls a request of etcd's; all others count as nothing of a resource. */
const OPERATIONS = new Set(['create', 'update', 'delete', 'get', 'list']);

interface Call {
  readonly kind: 'read' | 'write';
  readonly what: string;
  readonly key?: string;
}

interface Counted {
  readonly observe: (seconds: number) => void;
  readonly total: () => void;
  readonly errors: () => void;
}

interface Named {
  readonly group: string;
  readonly resource: string;
}

const NOTHING: Named = { group: '', resource: '' };

/** Upstream's metrics of what etcd is asked, by upstream's names. */
export class EtcdMetrics {
  private readonly counted = new Map<string, Counted>();
  private readonly resources = new Map<string, Named>();
  private readonly seconds;
  private readonly total;
  private readonly errors;
  private kinds: () => readonly KindDescriptor[] = () => [];

  constructor(
    metrics: Metrics,
    /** What keys begin with; ends in '/'. */
    private readonly keyPrefix: string,
  ) {
    this.seconds = metrics.talliedHistogram({
      name: 'etcd_request_duration_seconds',
      help: 'Seconds that etcd took, by operation and resource.',
      buckets: BUCKETS,
    });
    this.total = metrics.tally({
      name: 'etcd_requests_total',
      help: 'Requests to etcd, by operation and resource.',
    });
    this.errors = metrics.tally({
      name: 'etcd_request_errors_total',
      help: 'Requests to etcd that failed, by operation and resource.',
    });
  }

  /** Tells which resources there are. */
  know(kinds: () => readonly KindDescriptor[]): void {
    this.kinds = kinds;
  }

  called({ what, key }: Call, ms: number, failed: boolean): void {
    const [operation = '', subject = ''] = what.split(' ', 2);
    if (!OPERATIONS.has(operation)) return;
    const { observe, total, errors } = this.of(operation, key ?? subject);
    observe(ms / 1000);
    total();
    if (failed) errors();
  }

  private of(operation: string, key: string): Counted {
    const named = this.resourceOf(key);
    const id = `${operation} ${named.group}/${named.resource}`;
    let known = this.counted.get(id);
    if (!known) {
      const labels = { operation, group: named.group, resource: named.resource };
      known = {
        observe: this.seconds.of(labels),
        total: this.total.of(labels),
        errors: this.errors.of(labels),
      };
      this.counted.set(id, known);
    }
    return known;
  }

  /** Keys are `<prefix><folder>/…` or `<prefix><group>/<folder>/…`. */
  private resourceOf(key: string): Named {
    if (!key.startsWith(this.keyPrefix)) return NOTHING;
    const [first = '', second = ''] = key.slice(this.keyPrefix.length).split('/', 2);
    const path = `${first}/${second}`;
    const known = this.resources.get(path) ?? this.resources.get(first);
    if (known) return known;
    const kind = this.kinds().find(
      ({ storagePrefix }) => storagePrefix === first || storagePrefix === path,
    );
    if (!kind) return NOTHING;
    const named = { group: kind.group, resource: kind.plural };
    this.resources.set(kind.storagePrefix, named);
    return named;
  }
}

/** A member of etcd that has said how large its file is, or one that has said nothing. */
type Member = { readonly dbSize: number } | { readonly problem: string };

/** Keeps apiserver_storage_size_bytes: what etcd's file takes, looked at when somebody asks, at most every so often. */
export class StorageSize {
  private readonly gauge;
  private lookedAt = -Infinity;

  constructor(
    metrics: Metrics,
    private readonly members: () => Promise<readonly Member[]>,
    private readonly deps: { readonly clock: Clock; readonly intervalMs: number },
  ) {
    this.gauge = metrics.gauge({
      name: 'apiserver_storage_size_bytes',
      help: 'Bytes of the file of etcd.',
      labels: ['storage_cluster_id'],
    });
  }

  async refresh(): Promise<void> {
    const { clock, intervalMs } = this.deps;
    if (clock.monotonic() - this.lookedAt < intervalMs) return;
    this.lookedAt = clock.monotonic();
    for (const [i, member] of (await this.members()).entries())
      if ('dbSize' in member) this.gauge.set({ storage_cluster_id: `etcd-${i}` }, member.dbSize);
  }
}
