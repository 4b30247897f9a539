import type { Metrics } from '@orrery/component';
import { createMetrics } from '@orrery/component';
import type { RequestInfo } from '../filters/request-info.js';

const LABELS = [
  'verb',
  'group',
  'version',
  'resource',
  'subresource',
  'scope',
  'component',
] as const;

/** Upper bounds of apiserver_request_duration_seconds (k8s apiserver pkg/endpoints/metrics/metrics.go). */
const DURATION_BUCKETS = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45,
  60,
];

/** Paths that have a label of their own, and those whose parts below share one. */
const PATHS = [
  '/api',
  '/apis',
  '/version',
  '/metrics',
  '/healthz',
  '/livez',
  '/readyz',
  '/openapi/v2',
  '/openapi/v3',
  '/at',
  '/forks',
  '/history',
];

const pathLabel = (path: string): string =>
  PATHS.find((known) => path === known || path.startsWith(`${known}/`)) ?? '';

type Served = Pick<RequestInfo, 'group' | 'version' | 'resource' | 'subresource'>;

const NOTHING: Served = { group: '', version: '', resource: '', subresource: '' };

/** Upstream's request metrics by upstream's names. Labels are names that the server knows (CVE-2020-8552). */
export class RequestMetrics {
  readonly metrics: Metrics = createMetrics({ process: true });
  private readonly total = this.metrics.counter({
    name: 'apiserver_request_total',
    help: 'Requests by verb, resource, component and code.',
    labels: [...LABELS, 'code', 'dry_run'],
  });
  private readonly duration = this.metrics.histogram({
    name: 'apiserver_request_duration_seconds',
    help: 'Latency of requests in seconds.',
    labels: [...LABELS, 'dry_run'],
    buckets: DURATION_BUCKETS,
  });
  private readonly running = this.metrics.gauge({
    name: 'apiserver_longrunning_requests',
    help: 'Watches and connections that are open.',
    labels: LABELS,
  });

  private readonly deprecated = this.metrics.gauge({
    name: 'apiserver_requested_deprecated_apis',
    help: 'Deprecated APIs that were asked for, and the release that removes them.',
    labels: ['group', 'version', 'resource', 'subresource', 'removed_release'],
  });

  private serves: (asked: Served) => boolean = () => false;

  /** Tells which resources and subresources there are. */
  know(serves: (asked: Served) => boolean): void {
    this.serves = serves;
  }

  /** Notes that a deprecated API was asked for. */
  askedDeprecated({ group, version, resource, subresource }: Served, removedRelease: string): void {
    const labels = { group, version, resource, subresource, removed_release: removedRelease };
    this.deprecated.set(labels, 1);
  }

  /** Begins one request; the answer is called when it ends. */
  begin(info: RequestInfo, startedAt: number): (code: number, endedAt: number) => void {
    const { group, version, resource, subresource } = this.serves(info) ? info : NOTHING;
    const labels = {
      verb: info.verb.toUpperCase(),
      group,
      version,
      resource,
      subresource: info.isResource ? subresource : pathLabel(info.path),
      scope: info.name ? 'resource' : info.namespace ? 'namespace' : 'cluster',
      component: 'apiserver',
    };
    const isLong = info.verb === 'watch';
    if (isLong) this.running.inc(labels);
    return (code, endedAt) => {
      this.total.inc({ ...labels, code: String(code), dry_run: '' });
      if (isLong) this.running.dec(labels);
      else this.duration.observe({ ...labels, dry_run: '' }, (endedAt - startedAt) / 1000);
    };
  }
}
