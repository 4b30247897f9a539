import type { Duplex, Readable } from 'node:stream';
import { Turns } from '@orrery/component';

/** Longest header of a frame: two bytes, eight of length, four of mask (RFC 6455, section 5.2). */
const LENGTH_16 = 126;
const LENGTH_64 = 127;

function headerSize(second: number): number {
  const length = second & 0x7f;
  const extended = length === LENGTH_16 ? 2 : length === LENGTH_64 ? 8 : 0;
  return 2 + extended + (second & 0x80 ? 4 : 0);
}

function payloadSize(header: Buffer): number {
  const length = (header[1] ?? 0) & 0x7f;
  if (length === LENGTH_16) return header.readUInt16BE(2);
  return length === LENGTH_64 ? Number(header.readBigUInt64BE(2)) : length;
}

/** Cuts a stream of WebSocket frames where one ends, whatever chunks it comes in. */
export class FrameCutter {
  private header: number[] = [];
  /** Of the payload of the frame whose header is complete. */
  private left = 0;

  /** All bytes of the chunk; no piece has bytes of two frames. */
  cut(chunk: Buffer): Buffer[] {
    const pieces: Buffer[] = [];
    let start = 0;
    let at = 0;
    while (at < chunk.length) {
      at = this.left > 0 ? this.skip(chunk, at) : this.readHeader(chunk, at);
      if (this.header.length > 0 || this.left > 0) continue;
      pieces.push(chunk.subarray(start, at));
      start = at;
    }
    if (start < chunk.length) pieces.push(chunk.subarray(start));
    return pieces;
  }

  private skip(chunk: Buffer, at: number): number {
    const taken = Math.min(this.left, chunk.length - at);
    this.left -= taken;
    return at + taken;
  }

  private readHeader(chunk: Buffer, at: number): number {
    this.header.push(chunk[at] ?? 0);
    const second = this.header[1];
    if (second !== undefined && this.header.length === headerSize(second)) {
      this.left = payloadSize(Buffer.from(this.header));
      this.header = [];
    }
    return at + 1;
  }
}

const written = (client: Duplex, piece: Buffer): Promise<void> =>
  new Promise((resolve, reject) => {
    client.write(piece, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });

/**
 * Hands on what a back-end says until it ends, each frame in a TLS record of its own: clients that ask the kernel whether there
 * is more (python's websocket-client) do not see a second frame in the record they have read.
 */
export async function passFramesOn(server: Readable, client: Duplex): Promise<void> {
  const cutter = new FrameCutter();
  for await (const chunk of server as AsyncIterable<Buffer>) {
    const turns = new Turns();
    for (const piece of cutter.cut(chunk)) {
      // One after the other: what waits together would be written as one record. Tens of thousands fit into a chunk, and a
      // socket that takes each at once never lets the event loop go on by itself.
      await written(client, piece);
      if (turns.isOver) await turns.next();
    }
  }
}
