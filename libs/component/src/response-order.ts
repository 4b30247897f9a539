import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * The answers that connections of an HTTP/1.1 server still owe. Node hands a request to upgrade over with the bare
 * socket as soon as it is read, even while requests that the client sent before it are worked on: who wrote to the
 * socket then would answer out of turn, and the answers before would be lost.
 */
export class ResponseOrder {
  /** Oldest first; at least those that are not finished. */
  private readonly owed = new WeakMap<Duplex, ServerResponse[]>();

  constructor(server: Pick<Server, 'on'>) {
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      if (request.httpVersionMajor === 1) this.note(request.socket, response);
    });
  }

  /** Resolves when all that was asked on this connection before is answered; false when it takes no more answers. */
  async turn(socket: Duplex): Promise<boolean> {
    const before = this.owed.get(socket) ?? [];
    const last = before.at(-1);
    if (last && !last.writableFinished && !last.destroyed) {
      // Node has let go of the socket: nobody else tells those who write these answers to go on.
      const goOn = (): void => {
        const current = before.find((response) => !response.writableFinished);
        if (current?.writableNeedDrain) current.emit('drain');
      };
      socket.on('drain', goOn);
      await new Promise<void>((resolve) => {
        last.once('finish', resolve).once('close', resolve);
        socket.once('close', resolve);
      });
      socket.off('drain', goOn);
    }
    return socket.writable;
  }

  /** Those that are not finished. */
  owedTo(socket: Duplex): readonly ServerResponse[] {
    return (this.owed.get(socket) ?? []).filter(
      ({ writableFinished, destroyed }) => !writableFinished && !destroyed,
    );
  }

  private note(socket: Duplex, response: ServerResponse): void {
    const owed = this.owed.get(socket);
    if (!owed) {
      this.owed.set(socket, [response]);
      return;
    }
    while (owed[0]?.writableFinished) owed.shift();
    owed.push(response);
  }
}
