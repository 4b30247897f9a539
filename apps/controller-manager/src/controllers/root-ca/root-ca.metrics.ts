import { StatusError } from '@orrery/apimachinery';
import { exponentialBuckets } from '@orrery/component';
import type { Clock, Metrics } from '@orrery/component';

/** Counts and times the look at one namespace. */
export type NamespaceSync = <T>(sync: () => Promise<T>) => Promise<T>;

const HELP = 'Number of namespace syncs happened in root ca cert publisher.';

/** Pure: the label `code` of a failure (k8s rootcacertpublisher/metrics.go:recordMetrics). */
export const codeOf = (error: unknown): string =>
  String(error instanceof StatusError ? error.status.code : 500);

/** k8s pkg/controller/certificates/rootcacertpublisher/metrics.go; one text of help for both there, too. */
export function createRootCaMeters(metrics: Metrics, clock: Clock): NamespaceSync {
  const labels = ['code'] as const;
  const syncs = metrics.counter({ name: 'root_ca_cert_publisher_sync_total', help: HELP, labels });
  const durations = metrics.histogram({
    name: 'root_ca_cert_publisher_sync_duration_seconds',
    help: HELP,
    labels,
    buckets: exponentialBuckets(0.001, 2, 15),
  });
  return async (sync) => {
    const begun = clock.monotonic();
    let code = '200';
    try {
      return await sync();
    } catch (error) {
      code = codeOf(error);
      throw error;
    } finally {
      syncs.inc({ code });
      durations.observe({ code }, (clock.monotonic() - begun) / 1000);
    }
  };
}
