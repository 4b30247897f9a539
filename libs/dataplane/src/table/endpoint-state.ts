import type { Backend, Protocol } from '../rule-set.js';
import { backendKey } from '../rule-set.js';
import { Latency } from './latency.js';

/** Something open between a client and a backend: a TCP connection or a UDP session. */
export interface Connection {
  describe(): ConnectionView;
  /** Ends it at once: TCP clients get a reset. */
  abort(): void;
}

/** Who talks to whom. */
export interface ConnectionView {
  readonly protocol: Protocol;
  /** `address:port` each. */
  readonly client: string;
  readonly frontend: string;
  readonly backend: string;
  readonly state: 'connecting' | 'established' | 'half-closed';
  readonly ageMs: number;
  readonly bytesToBackend: number;
  readonly bytesFromBackend: number;
}

/** What has been seen of one backend of one rule; outlives the backend until its last connection has ended. */
export interface EndpointView {
  readonly backend: string;
  readonly open: number;
  readonly connections: number;
  readonly errors: number;
  readonly bytesToBackend: number;
  readonly bytesFromBackend: number;
  /** Time to connect: cumulative counts by upper bound in seconds, with sum. */
  readonly dialSeconds: { readonly counts: readonly number[]; readonly sum: number };
}

/** A backend in use, with its open connections and its totals. */
export class EndpointState {
  readonly key: string;
  readonly open = new Set<Connection>();
  readonly dials = new Latency();
  connections = 0;
  errors = 0;
  bytesToBackend = 0;
  bytesFromBackend = 0;

  constructor(backend: Pick<Backend, 'address' | 'port'>) {
    this.key = backendKey(backend);
  }

  view(): EndpointView {
    const { key, open, connections, errors, bytesToBackend, bytesFromBackend, dials } = this;
    return {
      backend: key,
      open: open.size,
      connections,
      errors,
      bytesToBackend,
      bytesFromBackend,
      dialSeconds: dials.view(),
    };
  }
}
