import { createSocket } from 'node:dgram';
import type { BindOptions, RemoteInfo, Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { getSystemErrorName } from 'node:util';
import type { Cancel } from '@orrery/component';
import { backendKey } from '../rule-set.js';
import type { Backend } from '../rule-set.js';
import type { FrontendContext, FrontendListener } from '../frontend.js';
import type { RuleState } from '../table/rule-state.js';
import type { FrontendKey } from '../table/service-table.js';
import { bindUdp } from './udp-handle.js';
import type { UdpHandle } from './udp-handle.js';
import { UdpSession } from './udp-session.js';

/** Descriptors of one session. */
const DESCRIPTORS = 1;
const NONE: ReadonlySet<string> = new Set();

/** Relays UDP datagrams of one VIP and port: a session per client address and port, with a source port of its own. */
export class UdpFrontend implements FrontendListener {
  private readonly socket: Socket;
  private readonly bound: UdpHandle[] = [];
  /** Least recently used first. */
  private readonly sessions = new Map<string, UdpSession>();
  private cancelSweep: Cancel | undefined;

  constructor(
    readonly key: FrontendKey,
    private readonly context: FrontendContext,
  ) {
    this.socket = createSocket(isIPv6(key.address) ? 'udp6' : 'udp4');
    this.socket.on('message', (data, from) => {
      this.forward(data, from);
    });
  }

  listen(): Promise<void> {
    const { address, text } = this.key;
    const [inherited, ...more] = this.context.inherited.take(text) as readonly UdpHandle[];
    for (const handle of more) handle.close();
    const port = this.context.reachablePort(this.key.port);
    const handle = inherited ?? bindUdp(address, port);
    if (typeof handle === 'number')
      return Promise.reject(new Error(`bind ${getSystemErrorName(handle)} ${address}:${port}`));
    this.bound.push(handle);
    this.socket.on('error', () => {
      this.context.counters.acceptFailures += 1;
    });
    // dgram takes a bound handle as well (node lib/dgram.js, Socket.prototype.bind); the types do not say so.
    this.socket.bind(handle as unknown as BindOptions);
    this.sweepLater();
    return Promise.resolve();
  }

  handles(): readonly UdpHandle[] {
    return this.bound;
  }

  /** Sessions whose backend has gone, or that a policy forbids now, end: their next datagram starts another. */
  rulesChanged(): void {
    for (const [client, { rule, backend, source }] of this.sessions)
      if (!rule.hasBackend(backendKey(backend)) || !this.permits(source, backend))
        this.drop(client);
  }

  close(): Promise<void> {
    this.destroy();
    return Promise.resolve();
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
    this.sessions.delete(client);
    this.sessions.set(client, session);
    session.send(data);
  }

  private start(
    client: string,
    from: RemoteInfo,
    refused: ReadonlySet<string> = NONE,
  ): UdpSession | undefined {
    const chosen = this.choose(from, refused);
    if (!chosen || !this.makeRoom()) return undefined;
    this.context.counters.udpSessions += 1;
    const session = new UdpSession({
      ...chosen,
      key: this.key,
      context: this.context,
      client: from,
      reply: (data) => {
        this.socket.send(data, from.port, from.address);
      },
      aborted: () => {
        this.drop(client);
      },
      refused: (failed, unanswered) => {
        if (this.sessions.get(client) !== failed) return;
        this.drop(client);
        this.retry(client, from, { refused, backend: failed.backend, unanswered });
      },
    });
    this.sessions.set(client, session);
    return session;
  }

  /** A datagram that a backend refused goes to the next one. */
  private retry(
    client: string,
    from: RemoteInfo,
    failed: { refused: ReadonlySet<string>; backend: Backend; unanswered: Buffer | undefined },
  ): void {
    if (!failed.unanswered) return;
    const refused = new Set([...failed.refused, backendKey(failed.backend)]);
    const next = this.start(client, from, refused);
    if (next) next.send(failed.unanswered);
    else this.context.counters.udpDropped += 1;
  }

  private choose(
    from: RemoteInfo,
    before: ReadonlySet<string>,
  ): { rule: RuleState; backend: Backend } | undefined {
    const { table, guard, counters } = this.context;
    const source = {
      clientAddress: from.address,
      clientPort: from.port,
      frontendAddress: this.key.address,
    };
    const rule = table.resolve(this.key, source);
    if (!rule || !rule.admits(source) || !rule.hasRoom()) return undefined;
    const refused = new Set(before);
    for (;;) {
      const backend = rule.pick(source, refused);
      if (!backend) return undefined;
      if (rule.rule.trusted === true || guard.allows(backend)) {
        if (this.permits(from.address, backend)) return { rule, backend };
        counters.forbidden += 1;
        return undefined;
      }
      counters.guarded += 1;
      refused.add(backendKey(backend));
    }
  }

  private permits(source: string, { address, port }: Backend): boolean {
    if (source === this.key.address) return true;
    return this.context.policy.permits({ source, address, port, protocol: 'UDP' });
  }

  /** The table is bounded: the least recently used session gives way to a new one. */
  private makeRoom(): boolean {
    const { descriptors, counters, maxUdpSessions } = this.context;
    if (this.sessions.size >= maxUdpSessions) this.dropOldest();
    if (descriptors.take(DESCRIPTORS)) return true;
    counters.exhausted += 1;
    this.dropOldest();
    return descriptors.take(DESCRIPTORS);
  }

  private dropOldest(): void {
    const oldest = this.sessions.keys().next().value;
    if (oldest !== undefined) this.drop(oldest);
  }

  private drop(client: string): void {
    const session = this.sessions.get(client);
    if (!session) return;
    this.sessions.delete(client);
    session.close();
    this.context.descriptors.give(DESCRIPTORS);
  }

  private sweepLater(): void {
    const { clock, udpIdleMs } = this.context;
    const sweep = (): void => {
      for (const [client, session] of this.sessions)
        if (session.isIdleSince(clock.monotonic() - (session.rule.rule.udpIdleMs ?? udpIdleMs)))
          this.drop(client);
      this.sweepLater();
    };
    this.cancelSweep = clock.after(Math.min(udpIdleMs / 4, 5_000), sweep, { unref: true });
  }
}
