import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';

const END = Buffer.from('\r\n', 'latin1');

/** Bytes of a stream, which many connections may be sent; they are put together once, as they are needed. */
export class Frame {
  private whole: Buffer | undefined;
  private asChunk: Buffer | undefined;

  constructor(private readonly parts: readonly Buffer[]) {}

  get bytes(): Buffer {
    return (this.whole ??= Buffer.concat(this.parts));
  }

  /** The same as a chunk of HTTP/1.1. */
  get chunk(): Buffer {
    if (this.asChunk) return this.asChunk;
    const size = this.parts.reduce((sum, { length }) => sum + length, 0);
    const head = Buffer.from(`${size.toString(16)}\r\n`, 'latin1');
    return (this.asChunk = Buffer.concat([head, ...this.parts, END]));
  }
}

/** Bytes that may wait for a slow client before it is cut. */
const MAX_BUFFERED = 16 * 1024 * 1024;

/**
 * Writes a frame to an answer whose headers have been sent; waits for clients that are slower than what they are sent. Over HTTP/1.1
 * the chunk goes to the connection as it is: the answer would make it of three writes, once more for each client.
 */
export async function writeFrame(
  raw: ServerResponse<IncomingMessage>,
  frame: Frame,
  signal: AbortSignal,
): Promise<void> {
  // Without a connection the answer waits for the one that the client asked for before it.
  const socket = raw.req.httpVersionMajor === 1 && raw.chunkedEncoding ? raw.socket : null;
  const target = socket && raw.writableLength === socket.writableLength ? socket : raw;
  if (target.write(target === raw ? frame.bytes : frame.chunk)) return;
  if (target.writableLength > MAX_BUFFERED) {
    raw.destroy();
    return;
  }
  await once(target, 'drain', { signal });
}
