import type { Clock, Metrics } from '@orrery/component';
import type { KeyResources } from './key-resources.js';

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
  readonly lists: () => void;
}

/** Upstream's metrics of what etcd is asked, by upstream's names. */
export class EtcdMetrics {
  private readonly counted = new Map<string, Counted>();
  private readonly seconds;
  private readonly total;
  private readonly errors;
  private readonly lists;

  constructor(
    metrics: Metrics,
    private readonly resources: KeyResources,
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
    this.lists = metrics.tally({
      name: 'apiserver_storage_list_total',
      help: 'Number of LIST requests served from storage',
    });
  }

  called({ what, key }: Call, ms: number, failed: boolean): void {
    const [operation = '', subject = ''] = what.split(' ', 2);
    if (!OPERATIONS.has(operation)) return;
    const { observe, total, errors, lists } = this.of(operation, key ?? subject);
    observe(ms / 1000);
    total();
    if (failed) errors();
    if (operation === 'list') lists();
  }

  private of(operation: string, key: string): Counted {
    const named = this.resources.of(key);
    const id = `${operation} ${named.group}/${named.resource}`;
    let known = this.counted.get(id);
    if (!known) {
      const labels = { operation, group: named.group, resource: named.resource };
      known = {
        observe: this.seconds.of(labels),
        total: this.total.of(labels),
        errors: this.errors.of(labels),
        lists: this.lists.of({ group: named.group, resource: named.resource }),
      };
      this.counted.set(id, known);
    }
    return known;
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
