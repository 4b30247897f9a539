import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { FrontendContext } from '../frontend.js';
import type { Backend } from '../rule-set.js';
import type { Connection, ConnectionView, EndpointState } from '../table/endpoint-state.js';
import type { RuleState } from '../table/rule-state.js';
import type { FrontendKey } from '../table/service-table.js';

/** What a session is made for, and whom it tells. */
export interface SessionOptions {
  readonly key: FrontendKey;
  readonly context: FrontendContext;
  readonly client: RemoteInfo;
  readonly rule: RuleState;
  readonly backend: Backend;
  /** A datagram from the backend. */
  readonly reply: (data: Buffer) => void;
  /** The backend refused (ICMP): the datagram that it did not take. */
  readonly refused: (session: UdpSession, unanswered: Buffer | undefined) => void;
  readonly aborted: (session: UdpSession) => void;
}

/** The datagrams of one client address and port: one backend, one source port towards it. */
export class UdpSession implements Connection {
  readonly backend: Backend;
  readonly rule: RuleState;
  private readonly socket: Socket;
  private readonly endpoint: EndpointState;
  private readonly startedAt: number;
  private lastUsed: number;
  /** Datagrams that came before the socket was connected. */
  private waiting: Buffer[] | undefined = [];
  private unanswered: Buffer | undefined;
  private toBackend = 0;
  private fromBackend = 0;

  constructor(private readonly options: SessionOptions) {
    this.socket = createSocket(isIPv6(options.backend.address) ? 'udp6' : 'udp4');
    this.rule = options.rule;
    this.backend = options.backend;
    this.endpoint = options.rule.open(options.backend, this);
    this.endpoint.connections += 1;
    this.startedAt = this.lastUsed = options.context.clock.monotonic();
    this.socket.on('message', (data: Buffer) => {
      this.received(data);
    });
    this.socket.on('error', () => {
      this.options.context.counters.dialFailures += 1;
      this.endpoint.errors += 1;
      this.options.refused(this, this.unanswered);
    });
    const { address, port } = options.backend;
    this.socket.connect(options.context.reachablePort(port), address, () => {
      const waiting = this.waiting ?? [];
      this.waiting = undefined;
      for (const data of waiting) this.socket.send(data);
    });
  }

  get source(): string {
    return this.options.client.address;
  }

  send(data: Buffer): void {
    this.lastUsed = this.options.context.clock.monotonic();
    this.toBackend += data.length;
    this.endpoint.bytesToBackend += data.length;
    this.unanswered = data;
    if (this.waiting) this.waiting.push(data);
    else this.socket.send(data);
  }

  isIdleSince(time: number): boolean {
    return this.lastUsed < time;
  }

  describe(): ConnectionView {
    const { key, client, context } = this.options;
    return {
      protocol: 'UDP',
      client: `${client.address}:${client.port}`,
      frontend: `${key.address}:${key.port}`,
      backend: this.endpoint.key,
      state: 'established',
      ageMs: Math.round(context.clock.monotonic() - this.startedAt),
      bytesToBackend: this.toBackend,
      bytesFromBackend: this.fromBackend,
    };
  }

  abort(): void {
    this.options.aborted(this);
  }

  close(): void {
    this.rule.closed(this.endpoint, this);
    this.socket.removeAllListeners();
    this.socket.on('error', () => undefined);
    this.socket.close();
  }

  private received(data: Buffer): void {
    this.lastUsed = this.options.context.clock.monotonic();
    this.unanswered = undefined;
    this.fromBackend += data.length;
    this.endpoint.bytesFromBackend += data.length;
    this.options.reply(data);
  }
}
