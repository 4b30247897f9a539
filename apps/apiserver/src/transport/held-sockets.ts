import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** How often each connection is held. */
const holds = new WeakMap<Socket, number>();

/** Reads nothing more from an HTTP/1.1 connection until it has been released as often. What has been read is not lost. */
export function hold(socket: Socket): void {
  const before = holds.get(socket);
  holds.set(socket, (before ?? 0) + 1);
  // The end of each message that has been read already sets the connection going again.
  if (before === undefined)
    socket.on('resume', () => {
      if (holds.get(socket)) socket.pause();
    });
  socket.pause();
}

export function release(socket: Socket): void {
  const left = (holds.get(socket) ?? 1) - 1;
  holds.set(socket, left);
  if (left === 0 && !socket.destroyed) socket.resume();
}

/** Chunks of one body that are taken in one turn. */
const MOST_CHUNKS = 1000;

/**
 * Makes a body that comes in very many small chunks take turns with other connections: at most what one read gave (64 KiB) is
 * taken in a turn that has seen so many chunks.
 */
export function paceChunks(raw: IncomingMessage): void {
  const { socket } = raw;
  let taken = 0;
  raw.push = function push(chunk: unknown, encoding?: BufferEncoding): boolean {
    taken += 1;
    if (taken === 1)
      setImmediate(() => {
        if (taken >= MOST_CHUNKS) setImmediate(release, socket);
        taken = 0;
      });
    if (taken === MOST_CHUNKS) hold(socket);
    return Object.getPrototypeOf(raw).push.call(raw, chunk, encoding) as boolean;
  };
}
