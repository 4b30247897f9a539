/** Names of the totals. */
export type CounterName = Exclude<keyof Counters, 'snapshot'>;

/** Totals since the start of the dataplane; read by its metrics. */
export class Counters {
  /** TCP connections relayed. */
  tcpConnections = 0;
  /** TCP connections that found no usable backend. */
  tcpRefused = 0;
  /** Backends that refused or did not answer, and were passed over. */
  dialFailures = 0;
  /** Backends outside the allowed ranges that were not dialled. */
  guarded = 0;
  /** Connections and UDP sessions that a NetworkPolicy forbade. */
  forbidden = 0;
  /** UDP sessions made. */
  udpSessions = 0;
  /** UDP datagrams dropped: no backend, or no room. */
  udpDropped = 0;
  /** Connections refused, and UDP sessions ended, because file descriptors ran out. */
  exhausted = 0;
  /** Frontends that could not be bound. */
  listenFailures = 0;
  /** Errors of listening sockets. */
  acceptFailures = 0;

  snapshot(): Record<CounterName, number> {
    return Object.fromEntries(Object.entries(this)) as Record<CounterName, number>;
  }
}
