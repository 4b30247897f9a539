import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';

const END = Buffer.from('\r\n', 'latin1');

/**
 * Bytes that a connection is sent before it is asked whether it wants more. What waits for a client is a copy of its own, in clear
 * and encrypted: hundreds of watches of large objects would hold gigabytes.
 */
const SLICE = 64 * 1024;

/** Bytes of a stream, which many connections may be sent; they are put together once, as they are needed. */
export class Frame {
  readonly size: number;
  private whole: Buffer | undefined;
  private asChunk: Buffer | undefined;

  constructor(private readonly parts: readonly Buffer[]) {
    this.size = parts.reduce((sum, { length }) => sum + length, 0);
  }

  get bytes(): Buffer {
    return (this.whole ??= Buffer.concat(this.parts));
  }

  /** The same as a chunk of HTTP/1.1. */
  get chunk(): Buffer {
    if (this.asChunk) return this.asChunk;
    const head = Buffer.from(`${this.size.toString(16)}\r\n`, 'latin1');
    return (this.asChunk = Buffer.concat([head, ...this.parts, END]));
  }

  /** The same as frames of about {@link SLICE} bytes; nothing but the small parts of each is copied for it. */
  *slices(): Generator<Frame, void> {
    let [parts, size]: [Buffer[], number] = [[], 0];
    for (const part of this.parts) {
      for (let at = 0; at < part.length; at += SLICE) {
        const piece = part.subarray(at, at + SLICE);
        if (size + piece.length > SLICE && size > 0) {
          yield new Frame(parts);
          [parts, size] = [[], 0];
        }
        parts.push(piece);
        size += piece.length;
      }
    }
    yield new Frame(parts);
  }
}

/**
 * Writes a frame to an answer whose headers have been sent; waits for clients that are slower than what they are sent. Over HTTP/1.1
 * the chunk goes to the connection as it is: the answer would make it of three writes, once more for each client.
 */
export async function writeFrame(
  raw: ServerResponse<IncomingMessage>,
  frame: Frame,
  signal: AbortSignal,
): Promise<void> {
  if (frame.size <= SLICE) {
    await writeSlice(raw, frame, signal);
    return;
  }
  for (const slice of frame.slices()) {
    if (raw.destroyed) return;
    await writeSlice(raw, slice, signal);
  }
}

async function writeSlice(
  raw: ServerResponse<IncomingMessage>,
  frame: Frame,
  signal: AbortSignal,
): Promise<void> {
  // Without a connection the answer waits for the one that the client asked for before it.
  const socket = raw.req.httpVersionMajor === 1 && raw.chunkedEncoding ? raw.socket : null;
  const target = socket && raw.writableLength === socket.writableLength ? socket : raw;
  if (!target.write(target === raw ? frame.bytes : frame.chunk))
    await once(target, 'drain', { signal });
}
