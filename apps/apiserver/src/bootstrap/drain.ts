import type { Server } from 'node:https';
import type { Duplex } from 'node:stream';
import { OpenSockets } from '@orrery/component';
import type { Clock, ResponseOrder } from '@orrery/component';
import type { Http2Connections } from '../transport/http2-connections.js';

/** Time that running requests get to finish when the server stops. */
const GRACE_MS = 10_000;
const ROUND_MS = 20;

/**
 * Ends the connections of a listener that has stopped to listen: upgraded ones as soon as what was asked before is answered, kept ones as soon as they are
 * idle, those that have said nothing at once, busy ones when their request is answered or the grace is over.
 */
export class Drain {
  private readonly upgraded = new Set<Duplex>();
  private readonly sockets: OpenSockets;

  constructor(
    private readonly server: Server,
    private readonly http2: Pick<Http2Connections, 'close' | 'destroy'>,
    private readonly clock: Clock,
    private readonly order: ResponseOrder,
  ) {
    this.sockets = new OpenSockets(server);
    server.on('upgrade', (_request, socket: Duplex) => {
      this.upgraded.add(socket);
      socket.once('close', () => {
        this.upgraded.delete(socket);
      });
    });
  }

  /** Ends connections until `closed` resolves. */
  async until(closed: Promise<void>): Promise<void> {
    let isOpen = true;
    const watched = closed.finally(() => {
      isOpen = false;
    });
    const end = this.clock.monotonic() + GRACE_MS;
    for (const socket of this.upgraded) void this.end(socket);
    this.http2.close();
    while (isOpen) {
      this.sockets.endSilent();
      this.server.closeIdleConnections();
      if (this.clock.monotonic() > end) {
        this.http2.destroy();
        this.sockets.end();
      }
      await Promise.race([watched, this.clock.sleep(ROUND_MS)]);
    }
    await watched;
  }

  private async end(socket: Duplex): Promise<void> {
    // One that takes no more answers is ended already, by what was asked before, and ends when that is sent.
    if (await this.order.turn(socket)) socket.destroy();
  }
}
