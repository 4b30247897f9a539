import type { Clock } from '@orrery/component';
import type { DialGuard } from './address-range.js';
import type { Counters } from './table/counters.js';
import type { TrafficPolicy } from './traffic-policy.js';
import type { FrontendKey, ServiceTable } from './table/service-table.js';

/** What TCP and UDP listeners share. */
export interface FrontendContext {
  readonly table: ServiceTable;
  readonly guard: DialGuard;
  readonly policy: TrafficPolicy;
  readonly counters: Counters;
  readonly clock: Clock;
  /** The port that really answers for a wanted one (20000+p where p < 1024 is refused by the machine). */
  readonly reachablePort: (port: number) => number;
  /** Time for a backend to accept. Default 2 s. */
  readonly dialTimeoutMs: number;
}

/** A listener of one frontend. */
export interface FrontendListener {
  readonly key: FrontendKey;
  /** Rejects when the address or port cannot be had. */
  listen(): Promise<void>;
  /** Rules have changed: what belongs to backends that have gone is dropped where the protocol wants it. */
  rulesChanged(): void;
  /** Takes no new connection; established ones live on. */
  close(): void;
  /** Ends everything at once. */
  destroy(): void;
}
