import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import type { Clock, Metrics } from '@orrery/component';
import type { ApiServerOptions } from '../config/options.js';

/** A text as metrics name it. */
const hashed = (text: string): string =>
  `sha256:${createHash('sha256').update(text).digest('hex')}`;

/** What is told of the reading of one configuration file. */
export interface Reloads {
  /** The text that holds now. */
  succeeded(text: string): void;
  failed(): void;
}

/** A configuration file as its metrics name it: `apiserver_<subject>_config_controller_*`. */
export type ConfigSubject = 'encryption' | 'authentication' | 'authorization';

/**
 * Counts how often a configuration was read again, and tells which one holds: `first` at the start (k8s apiserver
 * pkg/server/options/{encryptionconfig,authenticationconfig,authorizationconfig}/metrics).
 */
export function measureReloads(
  { metrics, clock, options }: { metrics: Metrics; clock: Clock; options: ApiServerOptions },
  subject: ConfigSubject,
  first: string,
): Reloads {
  const { advertiseAddress, bindAddress, securePort } = options;
  const server = hashed(`${hostname()} ${advertiseAddress ?? bindAddress}:${securePort}`);
  const prefix = `apiserver_${subject}_config_controller`;
  const total = metrics.tally({
    name: `${prefix}_automatic_reloads_total`,
    help: `Changes of the configuration of ${subject} that were read, and whether they could be.`,
  });
  const last = metrics.gauge({
    name: `${prefix}_automatic_reload_last_timestamp_seconds`,
    help: 'When that was last.',
    labels: ['status', 'apiserver_id_hash'],
  });
  const info = metrics.gauge({
    name: `${prefix}_last_config_info`,
    help: `The configuration of ${subject} that holds, by its hash.`,
    labels: ['apiserver_id_hash', 'hash'],
  });
  const tell = (status: string): void => {
    total.of({ status, apiserver_id_hash: server })();
    last.set({ status, apiserver_id_hash: server }, clock.now() / 1000);
  };
  let known = hashed(first);
  info.set({ apiserver_id_hash: server, hash: known }, 1);
  return {
    succeeded: (text) => {
      info.remove({ apiserver_id_hash: server, hash: known });
      known = hashed(text);
      info.set({ apiserver_id_hash: server, hash: known }, 1);
      tell('success');
    },
    failed: () => {
      tell('failure');
    },
  };
}
