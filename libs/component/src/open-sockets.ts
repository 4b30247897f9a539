import type { Server, Socket } from 'node:net';

/**
 * Every connection of a server, whatever became of it. A server of Node that is closed waits for all of them, but knows
 * those alone that speak HTTP (http.Server.closeAllConnections): not those that were upgraded, nor those that have said nothing
 * yet where TLS is spoken.
 */
export class OpenSockets {
  private readonly sockets = new Set<Socket>();

  constructor(server: Pick<Server, 'on'>) {
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
  }

  /** Ends those whose other side has not said a byte. */
  endSilent(): void {
    for (const socket of this.sockets) if (socket.bytesRead === 0) socket.destroy();
  }

  end(): void {
    for (const socket of this.sockets) socket.destroy();
  }
}
