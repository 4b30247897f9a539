import { exponentialBuckets } from '@orrery/component';
import type { Metrics } from '@orrery/component';
import type { EncryptionOptions } from '@orrery/storage';

/** Exponential, from 5 µs (k8s apiserver pkg/storage/value/metrics.go). */
const BUCKETS = exponentialBuckets(5e-6, 2, 25);

/** Counts what is encrypted and decrypted, by upstream's names. */
export function measureEncryption(metrics: Metrics): NonNullable<EncryptionOptions['onTransform']> {
  const total = metrics.tally({
    name: 'apiserver_storage_transformation_operations_total',
    help: 'Values that were encrypted and decrypted, and whether they could be.',
  });
  const seconds = metrics.talliedHistogram({
    name: 'apiserver_storage_transformation_duration_seconds',
    help: 'Seconds that encrypting and decrypting a value took.',
    buckets: BUCKETS,
  });
  return ({ resource, type, prefix, failed, ms }) => {
    const about = { transformation_type: type, transformer_prefix: prefix };
    total.of({ resource, ...about, status: failed ? 'unknown-non-grpc' : 'OK' })();
    if (!failed) seconds.of(about)(ms / 1000);
  };
}
