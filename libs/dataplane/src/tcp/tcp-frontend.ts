import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { backendKey } from '../rule-set.js';
import type { Backend } from '../rule-set.js';
import type { FrontendContext, FrontendListener } from '../frontend.js';
import type { FlowSource, RuleState } from '../table/rule-state.js';
import type { FrontendKey } from '../table/service-table.js';
import { dial, joinSockets } from './tcp-relay.js';

const BACKLOG = 4096;

/** Relays TCP connections of one VIP and port to the backends of its rule. */
export class TcpFrontend implements FrontendListener {
  private readonly server: Server;
  private readonly clients = new Set<Socket>();

  constructor(
    readonly key: FrontendKey,
    private readonly context: FrontendContext,
  ) {
    this.server = createServer(
      { allowHalfOpen: true, pauseOnConnect: true, noDelay: true },
      (client) => {
        void this.serve(client);
      },
    );
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(
        {
          host: this.key.address,
          port: this.context.reachablePort(this.key.port),
          backlog: BACKLOG,
          exclusive: true,
        },
        () => {
          this.server.removeListener('error', reject);
          this.server.on('error', () => {
            this.context.counters.listenFailures += 1;
          });
          resolve();
        },
      );
    });
  }

  rulesChanged(): void {
    // Established connections live on, as conntrack lets them: nothing to do.
  }

  close(): void {
    this.server.close();
  }

  destroy(): void {
    this.server.close();
    for (const client of this.clients) client.destroy();
  }

  private async serve(client: Socket): Promise<void> {
    // Until a backend is found an error of the client only means that it has gone.
    const ignore = (): void => undefined;
    client.on('error', ignore);
    this.clients.add(client);
    client.once('close', () => this.clients.delete(client));
    const source: FlowSource = {
      clientAddress: client.remoteAddress ?? '',
      clientPort: client.remotePort ?? 0,
      frontendAddress: this.key.address,
    };
    const found = await this.connectBackend(source, () => client.destroyed);
    if (!found) {
      this.context.counters.tcpRefused += 1;
      client.resetAndDestroy();
      return;
    }
    if (client.destroyed) {
      found.server.destroy();
      found.closed();
      return;
    }
    this.context.counters.tcpConnections += 1;
    client.removeListener('error', ignore);
    joinSockets(client, found.server, found.closed);
    client.resume();
  }

  /** Tries backends until one accepts; each at most once. */
  private async connectBackend(
    source: FlowSource,
    isGone: () => boolean,
  ): Promise<{ server: Socket; closed: () => void } | undefined> {
    const refused = new Set<string>();
    while (!isGone()) {
      const state = this.context.table.resolve(this.key, source.clientAddress);
      const backend = state?.pick(source, refused);
      if (!state || !backend) return undefined;
      if (!this.permits(source, backend)) return undefined;
      const connected = await this.tryBackend(state, backend);
      if (connected) return connected;
      refused.add(backendKey(backend));
    }
    return undefined;
  }

  /** As behind a real kube-proxy, a forbidden choice is not made again: the connection fails. */
  private permits(source: FlowSource, { address, port }: Backend): boolean {
    const flow = { source: source.clientAddress, address, port, protocol: 'TCP' } as const;
    if (this.context.policy.permits(flow)) return true;
    this.context.counters.forbidden += 1;
    return false;
  }

  private async tryBackend(
    state: RuleState,
    backend: Backend,
  ): Promise<{ server: Socket; closed: () => void } | undefined> {
    if (state.rule.trusted !== true && !this.context.guard.allows(backend.address)) {
      this.context.counters.guarded += 1;
      return undefined;
    }
    const closed = state.open(backendKey(backend));
    try {
      const port = this.context.reachablePort(backend.port);
      const timeoutMs = this.context.dialTimeoutMs;
      return { server: await dial({ address: backend.address, port, timeoutMs }), closed };
    } catch {
      this.context.counters.dialFailures += 1;
      closed();
      return undefined;
    }
  }
}
