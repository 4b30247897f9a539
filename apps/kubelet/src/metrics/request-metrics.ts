import type { Metrics } from '@orrery/component';

const LABELS = ['method', 'path', 'server_type', 'long_running'] as const;
const METHODS = new Set([
  'CONNECT',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
  'TRACE',
]);
/** First parts of the paths that the server has; any other is told as `other`. */
const PATHS = new Set([
  'attach',
  'checkpoint',
  'configz',
  'containerLogs',
  'exec',
  'healthz',
  'logs',
  'metrics',
  'pods',
  'portForward',
  'run',
  'runningpods',
  'stats',
]);
const LONG_RUNNING = new Set(['attach', 'exec', 'portForward']);

/** As upstream sums paths up (k8s pkg/kubelet/server/server.go:trimURLPath, getURLRootPath). */
function pathLabelOf(url: string): string {
  const [first = '', second] = (url.split('?')[0] ?? '').split('/').filter((part) => part !== '');
  if (!PATHS.has(first)) return 'other';
  return first === 'metrics' && second !== undefined ? `metrics/${second}` : first;
}

/** Requests of the kubelet's server (k8s pkg/kubelet/server/metrics/metrics.go, v1.36). */
export class RequestMetrics {
  private readonly total;
  private readonly duration;
  private readonly inflight;

  constructor(metrics: Metrics) {
    this.total = metrics.counter({
      name: 'kubelet_http_requests_total',
      help: 'Number of the http requests received since the server started',
      labels: LABELS,
    });
    this.duration = metrics.histogram({
      name: 'kubelet_http_requests_duration_seconds',
      help: 'Duration in seconds to serve http requests',
      labels: LABELS,
    });
    this.inflight = metrics.gauge({
      name: 'kubelet_http_inflight_requests',
      help: 'Number of the inflight http requests',
      labels: LABELS,
    });
  }

  /** A request came; the result is to be called once, with the seconds that it took, when it has been served. */
  begin(method: string, url: string): (seconds: number) => void {
    const path = pathLabelOf(url);
    const labels = {
      method: METHODS.has(method) ? method : 'other',
      path,
      server_type: 'readwrite',
      long_running: String(LONG_RUNNING.has(path)),
    };
    this.total.inc(labels);
    this.inflight.inc(labels);
    return (seconds) => {
      this.inflight.dec(labels);
      this.duration.observe(labels, seconds);
    };
  }
}
