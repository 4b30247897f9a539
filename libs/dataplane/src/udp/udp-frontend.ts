import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import type { Cancel } from '@orrery/component';
import { backendKey } from '../rule-set.js';
import type { Backend } from '../rule-set.js';
import type { FrontendContext, FrontendListener } from '../frontend.js';
import type { RuleState } from '../table/rule-state.js';
import type { FrontendKey } from '../table/service-table.js';

/** Idle time after which a session is forgotten (nf_conntrack_udp_timeout_stream is 120 s, kube-proxy's own UDP idle 250 ms). */
const SESSION_IDLE_MS = 60_000;
/** Sessions of one frontend; beyond it the least recently used one goes. */
const MAX_SESSIONS = 8_192;

interface Session {
  readonly source: string;
  readonly target: Backend;
  readonly state: RuleState;
  readonly backend: string;
  readonly socket: Socket;
  readonly closed: () => void;
  lastUsed: number;
  /** Datagrams that came before the backend socket was connected. */
  pending: Buffer[] | undefined;
}

/** Relays UDP datagrams of one VIP and port: a session per client address and port, with a source port of its own. */
export class UdpFrontend implements FrontendListener {
  private readonly socket: Socket;
  private readonly sessions = new Map<string, Session>();
  private cancelSweep: Cancel | undefined;

  constructor(
    readonly key: FrontendKey,
    private readonly context: FrontendContext,
  ) {
    this.socket = createSocket('udp4');
    this.socket.on('message', (data, from) => {
      this.forward(data, from);
    });
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.once('error', reject);
      this.socket.bind(
        {
          address: this.key.address,
          port: this.context.reachablePort(this.key.port),
          exclusive: true,
        },
        () => {
          this.socket.removeListener('error', reject);
          this.socket.on('error', () => {
            this.context.counters.listenFailures += 1;
          });
          this.sweepLater();
          resolve();
        },
      );
    });
  }

  rulesChanged(): void {
    for (const [client, session] of this.sessions)
      if (
        !session.state.hasBackend(session.backend) ||
        !this.permits(session.source, session.target)
      )
        this.drop(client);
  }

  close(): void {
    this.destroy();
  }

  destroy(): void {
    this.cancelSweep?.();
    for (const client of this.sessions.keys()) this.drop(client);
    this.socket.removeAllListeners('message');
    this.socket.close();
  }

  private forward(data: Buffer, from: RemoteInfo): void {
    const client = `${from.address}:${from.port}`;
    const session = this.sessions.get(client) ?? this.start(client, from);
    if (!session) {
      this.context.counters.udpDropped += 1;
      return;
    }
    session.lastUsed = this.context.clock.monotonic();
    this.sessions.delete(client);
    this.sessions.set(client, session);
    if (session.pending) session.pending.push(data);
    else session.socket.send(data);
  }

  private pick(from: RemoteInfo): { state: RuleState; backend: Backend } | undefined {
    const state = this.context.table.resolve(this.key, from.address);
    const refused = new Set<string>();
    for (;;) {
      const backend = state?.pick(
        { clientAddress: from.address, clientPort: from.port, frontendAddress: this.key.address },
        refused,
      );
      if (!state || !backend) return undefined;
      if (state.rule.trusted === true || this.context.guard.allows(backend.address))
        return { state, backend };
      this.context.counters.guarded += 1;
      refused.add(backendKey(backend));
    }
  }

  private permits(source: string, { address, port }: Backend): boolean {
    return this.context.policy.permits({ source, address, port, protocol: 'UDP' });
  }

  private start(client: string, from: RemoteInfo): Session | undefined {
    const chosen = this.pick(from);
    if (!chosen) return undefined;
    if (!this.permits(from.address, chosen.backend)) {
      this.context.counters.forbidden += 1;
      return undefined;
    }
    if (this.sessions.size >= MAX_SESSIONS) {
      const oldest = this.sessions.keys().next().value;
      if (oldest !== undefined) this.drop(oldest);
    }
    const { state, backend } = chosen;
    const socket = createSocket('udp4');
    const session: Session = {
      source: from.address,
      target: backend,
      state,
      backend: backendKey(backend),
      socket,
      closed: state.open(backendKey(backend)),
      lastUsed: this.context.clock.monotonic(),
      pending: [],
    };
    this.context.counters.udpSessions += 1;
    socket.on('message', (reply) => {
      session.lastUsed = this.context.clock.monotonic();
      this.socket.send(reply, from.port, from.address);
    });
    // ICMP refused: the next datagram starts a session with another backend.
    socket.on('error', () => {
      this.context.counters.dialFailures += 1;
      if (this.sessions.get(client) === session) this.drop(client);
    });
    socket.connect(this.context.reachablePort(backend.port), backend.address, () => {
      const waiting = session.pending ?? [];
      session.pending = undefined;
      for (const data of waiting) socket.send(data);
    });
    return session;
  }

  private drop(client: string): void {
    const session = this.sessions.get(client);
    if (!session) return;
    this.sessions.delete(client);
    session.closed();
    session.socket.removeAllListeners('message');
    session.socket.close();
  }

  private sweepLater(): void {
    this.cancelSweep = this.context.clock.after(
      SESSION_IDLE_MS / 4,
      () => {
        const oldest = this.context.clock.monotonic() - SESSION_IDLE_MS;
        for (const [client, session] of this.sessions)
          if (session.lastUsed < oldest) this.drop(client);
        this.sweepLater();
      },
      { unref: true },
    );
  }
}
