import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** Joins two sockets: bytes, half-closes, resets and back-pressure go through in both directions. Calls `done` once both ended. */
export function joinSockets(client: Socket, server: Socket, done: () => void): void {
  let open = 2;
  const closed = (): void => {
    open -= 1;
    if (open === 0) done();
  };
  pump(client, server, closed);
  pump(server, client, closed);
}

function pump(from: Socket, to: Socket, closed: () => void): void {
  from.on('data', (chunk) => {
    if (!to.write(chunk)) from.pause();
  });
  to.on('drain', () => from.resume());
  from.on('end', () => {
    to.end();
  });
  from.on('error', (error: NodeJS.ErrnoException) => {
    // An abortive close stays one: the peer must not take it for a complete answer.
    if (error.code === 'ECONNRESET' || error.code === 'EPIPE') to.resetAndDestroy();
    else to.destroy();
  });
  from.on('close', () => {
    if (!to.destroyed && !to.writableEnded) to.end();
    closed();
  });
}

export interface DialOptions {
  readonly address: string;
  readonly port: number;
  readonly timeoutMs: number;
}

/** Connects to a backend; rejects when it refuses, cannot be reached or does not answer in time. */
export function dial({ address, port, timeoutMs }: DialOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, allowHalfOpen: true, noDelay: true });
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(timeoutMs, () => {
      fail(new Error(`no answer from ${address}:${port} within ${timeoutMs} ms`));
    });
    socket.once('error', fail);
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.removeListener('error', fail);
      resolve(socket);
    });
  });
}
