import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { exponentialBuckets } from '@orrery/component';
import type { Clock, Metrics } from '@orrery/component';
import type { EncryptionOptions } from '@orrery/storage';
import type { ApiServerOptions } from '../config/options.js';

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

/** A text as metrics name it. */
export const hashed = (text: string): string =>
  `sha256:${createHash('sha256').update(text).digest('hex')}`;

/** Counts how often the configuration was read again, and tells which one holds. */
export function measureReloads(
  metrics: Metrics,
  clock: Clock,
  { advertiseAddress, bindAddress, securePort }: ApiServerOptions,
  first: string,
): { succeeded(hash: string): void; failed(): void } {
  const server = hashed(`${hostname()} ${advertiseAddress ?? bindAddress}:${securePort}`);
  const total = metrics.tally({
    name: 'apiserver_encryption_config_controller_automatic_reloads_total',
    help: 'Changes of the configuration of encryption that were read, and whether they could be.',
  });
  const last = metrics.gauge({
    name: 'apiserver_encryption_config_controller_automatic_reload_last_timestamp_seconds',
    help: 'When that was last.',
    labels: ['status', 'apiserver_id_hash'],
  });
  const info = metrics.gauge({
    name: 'apiserver_encryption_config_controller_last_config_info',
    help: 'The configuration that holds, by its hash.',
    labels: ['apiserver_id_hash', 'hash'],
  });
  const tell = (status: string): void => {
    total.of({ status, apiserver_id_hash: server })();
    last.set({ status, apiserver_id_hash: server }, clock.now() / 1000);
  };
  info.set({ apiserver_id_hash: server, hash: first }, 1);
  let known = first;
  return {
    succeeded: (hash) => {
      info.remove({ apiserver_id_hash: server, hash: known });
      known = hash;
      info.set({ apiserver_id_hash: server, hash }, 1);
      tell('success');
    },
    failed: () => {
      tell('failure');
    },
  };
}
