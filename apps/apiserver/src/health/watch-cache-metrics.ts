import type { Metrics } from '@orrery/component';
import type { FeedFollower } from '@orrery/storage';
import type { KeyResources, NamedResource } from './key-resources.js';

interface Counted {
  readonly received: readonly (() => void)[];
  readonly listed: () => void;
  readonly fetched: (objects: number) => void;
}

/** Digits of a revision that a gauge tells: a float holds them all. */
const DIGITS = 1e15;

/**
 * What memory is told by etcd and what it answers (k8s apiserver pkg/storage/cacher/metrics/metrics.go and
 * pkg/storage/etcd3/metrics/metrics.go). Each event goes to whoever watches at once, so that as many are dispatched as come.
 */
export class WatchCacheMetrics implements FeedFollower {
  private readonly counted = new Map<NamedResource, Counted>();
  private readonly received;
  private readonly lists;
  private readonly fetched;
  private revision = 0;

  constructor(
    metrics: Metrics,
    private readonly resources: KeyResources,
  ) {
    this.received = [
      metrics.tally({
        name: 'apiserver_storage_events_received_total',
        help: 'Number of etcd events received split by kind.',
      }),
      metrics.tally({
        name: 'apiserver_watch_cache_events_received_total',
        help: 'Counter of events received in watch cache broken by resource type.',
      }),
      metrics.tally({
        name: 'apiserver_watch_cache_events_dispatched_total',
        help: 'Counter of events dispatched in watch cache broken by resource type.',
      }),
    ];
    this.lists = metrics.tally({
      name: 'apiserver_cache_list_total',
      help: 'Number of LIST requests served from watch cache',
    });
    this.fetched = metrics.tally({
      name: 'apiserver_cache_list_fetched_objects_total',
      help: 'Number of objects read from watch cache in the course of serving a LIST request',
    });
    metrics.gauge({
      name: 'apiserver_watch_cache_resource_version',
      help: 'Current resource version of watch cache broken by resource type. This is truncated to the 15 least significant digits.',
      labels: ['group', 'resource'],
      collect: (gauge) => {
        gauge.reset();
        for (const { group, resource } of resources.all())
          gauge.set({ group, resource }, this.revision % DIGITS);
      },
    });
  }

  load(revision: number): Promise<void> {
    this.revision = revision;
    return Promise.resolve();
  }

  apply({ events, revision }: Parameters<FeedFollower['apply']>[0]): void {
    this.revision = Math.max(this.revision, revision);
    for (const { kv } of events) {
      const named = this.resources.of(kv.key.toString());
      if (named.resource !== '') for (const count of this.of(named).received) count();
    }
  }

  reset(): void {
    this.revision = 0;
  }

  /** Counts a list that memory has answered. */
  listed(prefix: string, objects: number): void {
    const { listed, fetched } = this.of(this.resources.of(prefix));
    listed();
    fetched(objects);
  }

  private of(named: NamedResource): Counted {
    let known = this.counted.get(named);
    if (!known) {
      const labels = { group: named.group, resource: named.resource };
      known = {
        received: this.received.map((tally) => tally.of(labels)),
        listed: this.lists.of({ ...labels, index: '' }),
        fetched: this.fetched.of({ ...labels, index: '' }),
      };
      this.counted.set(named, known);
    }
    return known;
  }
}
