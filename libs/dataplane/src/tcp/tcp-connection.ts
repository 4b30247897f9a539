import type { Cancel } from '@orrery/component';
import type { FrontendContext } from '../frontend.js';
import { backendKey } from '../rule-set.js';
import type { Backend } from '../rule-set.js';
import type { Connection, ConnectionView, EndpointState } from '../table/endpoint-state.js';
import type { FlowSource, RuleState } from '../table/rule-state.js';
import type { FrontendKey } from '../table/service-table.js';
import { PERMIT_ALL } from '../traffic-policy.js';
import { Pump } from './pump.js';
import type { PumpOwner } from './pump.js';
import { connectTcp, newTcpHandle, resetTcp } from './tcp-handle.js';
import type { TcpHandle } from './tcp-handle.js';

/** Descriptors of one relayed connection. */
export const DESCRIPTORS = 2;
const NONE: ReadonlySet<string> = new Set();

/**
 * One client of a frontend.
 *
 *              picked              connected            one side sent FIN           the other too
 *   choosing ---------> connecting ---------> established ------------> half-closed -------> closed
 *      ^  | none left       | refused, timed out    |                        |
 *      |  +-> reset         |                       +--- reset by a side ----+--> closed, both reset
 *      +--------------------+
 */
export class TcpConnection implements Connection, PumpOwner, FlowSource {
  private peer: { address?: string; port?: number } | undefined;
  private refused: Set<string> | undefined;
  private rule: RuleState | undefined;
  private endpoint: EndpointState | undefined;
  private server: TcpHandle | undefined;
  private cancelTimeout: Cancel | undefined;
  private dialledAt = 0;
  private fromClient: Pump | undefined;
  private fromServer: Pump | undefined;
  private state: ConnectionView['state'] | 'closed' = 'connecting';
  private toBackend = 0;
  private fromBackend = 0;

  constructor(
    private readonly key: FrontendKey,
    private readonly context: FrontendContext,
    private readonly client: TcpHandle,
  ) {}

  get frontendAddress(): string {
    return this.key.address;
  }

  get clientAddress(): string {
    return this.peerName().address ?? '';
  }

  get clientPort(): number {
    return this.peerName().port ?? 0;
  }

  /** Looks for a backend that accepts; each is tried at most once. */
  start(): void {
    const { table, counters } = this.context;
    for (;;) {
      const rule = table.resolve(this.key, this);
      if (!rule || !rule.admits(this) || !rule.hasRoom()) break;
      const backend = rule.pick(this, this.refused ?? NONE);
      if (!backend || !this.isPermitted(backend)) break;
      if (rule.rule.trusted !== true && !this.context.guard.allows(backend)) counters.guarded += 1;
      else if (this.dial(rule, backend)) return;
      this.refuse(backend);
    }
    counters.tcpRefused += 1;
    this.end(resetTcp);
  }

  describe(): ConnectionView {
    return {
      protocol: 'TCP',
      client: `${this.clientAddress}:${this.clientPort}`,
      frontend: `${this.key.address}:${this.key.port}`,
      backend: this.endpoint?.key ?? '',
      state: this.state === 'closed' ? 'half-closed' : this.state,
      ageMs: Math.round(this.context.clock.monotonic() - this.dialledAt),
      bytesToBackend: this.toBackend,
      bytesFromBackend: this.fromBackend,
    };
  }

  abort(): void {
    this.end(resetTcp);
  }

  moved(pump: Pump, bytes: number): void {
    const endpoint = this.endpoint as EndpointState;
    if (pump === this.fromClient) {
      this.toBackend += bytes;
      endpoint.bytesToBackend += bytes;
    } else {
      this.fromBackend += bytes;
      endpoint.bytesFromBackend += bytes;
    }
  }

  ended(pump: Pump): void {
    if (this.state === 'established') {
      this.state = 'half-closed';
      pump.shutDown();
    } else this.end(closeTcp);
  }

  /** An abortive end stays one: nobody may take what it got for the whole. */
  failed(pump: Pump): void {
    if (pump === this.fromServer && this.endpoint) this.endpoint.errors += 1;
    this.end(resetTcp);
  }

  private peerName(): { address?: string; port?: number } {
    if (!this.peer) {
      this.peer = {};
      this.client.getpeername(this.peer);
    }
    return this.peer;
  }

  /** As behind a real kube-proxy, a forbidden choice is not made again: the connection fails. */
  private isPermitted({ address, port }: Backend): boolean {
    const { policy, counters } = this.context;
    // Who has the called address is this host, on a local route of its own; a node is let in.
    if (policy === PERMIT_ALL || this.clientAddress === this.key.address) return true;
    if (policy.permits({ source: this.clientAddress, address, port, protocol: 'TCP' })) return true;
    counters.forbidden += 1;
    return false;
  }

  private refuse(backend: Backend): void {
    this.refused ??= new Set();
    this.refused.add(backendKey(backend));
  }

  /** Whether the dial is under way. */
  private dial(rule: RuleState, backend: Backend): boolean {
    const { clock, dialTimeoutMs, reachablePort } = this.context;
    const server = newTcpHandle();
    const target = { address: backend.address, port: reachablePort(backend.port) };
    const status = connectTcp(server, target, (connected) => {
      if (server === this.server) this.dialled(connected, backend);
    });
    if (status !== 0) {
      this.context.counters.dialFailures += 1;
      server.close();
      return false;
    }
    this.dialledAt = clock.monotonic();
    this.server = server;
    this.rule = rule;
    this.endpoint = rule.open(backend, this);
    this.cancelTimeout = clock.after(dialTimeoutMs, () => {
      this.dialled(-1, backend);
    });
    return true;
  }

  private dialled(status: number, backend: Backend): void {
    this.cancelTimeout?.();
    this.cancelTimeout = undefined;
    const endpoint = this.endpoint as EndpointState;
    if (status === 0) {
      endpoint.connections += 1;
      endpoint.dials.observe((this.context.clock.monotonic() - this.dialledAt) / 1_000);
      this.join(this.server as TcpHandle);
      return;
    }
    this.context.counters.dialFailures += 1;
    endpoint.errors += 1;
    this.server?.close();
    this.server = undefined;
    this.rule?.closed(endpoint, this);
    this.endpoint = undefined;
    this.refuse(backend);
    this.start();
  }

  private join(server: TcpHandle): void {
    this.context.counters.tcpConnections += 1;
    this.state = 'established';
    this.fromClient = new Pump(this.client, server, this);
    this.fromServer = new Pump(server, this.client, this);
    this.fromClient.start();
    this.fromServer.start();
  }

  private end(close: (handle: TcpHandle) => void): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.cancelTimeout?.();
    this.fromClient?.stop();
    this.fromServer?.stop();
    close(this.client);
    if (this.server) close(this.server);
    if (this.endpoint) this.rule?.closed(this.endpoint, this);
    this.context.descriptors.give(DESCRIPTORS);
  }
}

const closeTcp = (handle: TcpHandle): void => {
  handle.close();
};
