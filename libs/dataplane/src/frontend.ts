import type { Clock } from '@orrery/component';
import type { DialGuard } from './address-range.js';
import type { Descriptors } from './descriptors.js';
import type { ListeningHandle } from './handover/handle-channel.js';
import type { InheritedHandles } from './handover/inherited-handles.js';
import type { Counters } from './table/counters.js';
import type { TrafficPolicy } from './traffic-policy.js';
import type { FrontendKey, ServiceTable } from './table/service-table.js';

/** What TCP and UDP listeners share. */
export interface FrontendContext {
  readonly table: ServiceTable;
  readonly guard: DialGuard;
  readonly policy: TrafficPolicy;
  readonly counters: Counters;
  readonly descriptors: Descriptors;
  /** Sockets that the process before had open: they are used instead of new ones. */
  readonly inherited: InheritedHandles;
  readonly clock: Clock;
  /** The port that really answers for a wanted one (20000+p where p < 1024 is refused by the machine). */
  readonly reachablePort: (port: number) => number;
  /** Time for a backend to accept. */
  readonly dialTimeoutMs: number;
  /** Other processes listen on the same TCP ports. */
  readonly isShared: boolean;
  /** Idle time after which a UDP session is forgotten, unless its rule says another. */
  readonly udpIdleMs: number;
  /** UDP sessions of one frontend. */
  readonly maxUdpSessions: number;
}

/** A listener of one frontend. */
export interface FrontendListener {
  readonly key: FrontendKey;
  /** Rejects when the address or port cannot be had. */
  listen(): Promise<void>;
  /** Rules have changed: what belongs to backends that have gone is dropped where the protocol wants it. */
  rulesChanged(): void;
  /** The sockets on which it listens, for a successor. */
  handles(): readonly ListeningHandle[];
  /** Takes no new connection; established TCP connections live on, UDP sessions end. */
  close(): Promise<void>;
  /** The same at once: connections that wait to be accepted are lost. */
  destroy(): void;
}
