import type { Metrics } from '@orrery/component';

/** One request as it went. */
export interface SentRequest {
  readonly method: string;
  /** Host and port of the server. */
  readonly host: string;
  /** Of the answer; undefined when there was none. */
  readonly code: number | undefined;
  /** From the request to the end of the answer; undefined for an answer that goes on, as a watch's. */
  readonly seconds: number | undefined;
  readonly sentBytes: number;
  /** Undefined for an answer that goes on. */
  readonly receivedBytes: number | undefined;
  /** It will be asked again. */
  readonly isRepeated: boolean;
}

export interface RequestObserver {
  sent(request: SentRequest): void;
  /** What a request waited for its turn under the client's limit. */
  waited(method: string, host: string, seconds: number): void;
}

const DURATIONS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];
const SIZES = [64, 256, 512, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216];

/** Requests of a component's client under upstream's names (k8s component-base/metrics/prometheus/restclient/metrics.go, v1.36). */
export function restClientMetrics(metrics: Metrics): RequestObserver {
  const byVerb = (name: string, help: string, buckets: readonly number[]) =>
    metrics.histogram({ name: `rest_client_${name}`, help, labels: ['verb', 'host'], buckets });
  const total = metrics.counter({
    name: 'rest_client_requests_total',
    help: 'Number of HTTP requests, partitioned by status code, method, and host.',
    labels: ['code', 'method', 'host'],
  });
  const retries = metrics.counter({
    name: 'rest_client_request_retries_total',
    help: 'Number of request retries, partitioned by status code, verb, and host.',
    labels: ['code', 'verb', 'host'],
  });
  const duration = byVerb(
    'request_duration_seconds',
    'Request latency in seconds. Broken down by verb, and host.',
    DURATIONS,
  );
  const waits = byVerb(
    'rate_limiter_duration_seconds',
    'Client side rate limiter latency in seconds. Broken down by verb, and host.',
    DURATIONS,
  );
  const sent = byVerb(
    'request_size_bytes',
    'Request size in bytes. Broken down by verb and host.',
    SIZES,
  );
  const received = byVerb(
    'response_size_bytes',
    'Response size in bytes. Broken down by verb and host.',
    SIZES,
  );
  return {
    sent: ({ method, host, code: status, seconds, sentBytes, receivedBytes, isRepeated }) => {
      const code = status === undefined ? '<error>' : String(status);
      const of = { verb: method, host };
      total.inc({ code, method, host });
      if (isRepeated) retries.inc({ code, ...of });
      if (seconds !== undefined) duration.observe(of, seconds);
      if (sentBytes > 0) sent.observe(of, sentBytes);
      if (receivedBytes !== undefined) received.observe(of, receivedBytes);
    },
    waited: (verb, host, seconds) => {
      waits.observe({ verb, host }, seconds);
    },
  };
}
