import { once } from 'node:events';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { hostPort } from './raw-http1.js';

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const HEADER_BYTES = 9;

export const FRAME = { headers: 1, reset: 3, settings: 4, ping: 6, goAway: 7 } as const;

const END_STREAM_AND_HEADERS = 0x5;

/** One frame (RFC 9113, 4.1). */
export function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const literal = (name: string, value: string): Buffer =>
  Buffer.concat([
    Buffer.from([0x10, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ]);

/** GET of a path, as HPACK literals; with one more header as it stands. */
export const getFrame = (stream: number, path: string, more = ['', '']): Buffer =>
  frame(
    FRAME.headers,
    END_STREAM_AND_HEADERS,
    stream,
    Buffer.concat([
      Buffer.from([0x82, 0x87]),
      literal(':path', path),
      literal(':authority', 'localhost'),
      ...(more[0] ? [literal(more[0], more[1] ?? '')] : []),
    ]),
  );

/** A connection that speaks HTTP/2 frame by frame, as no library lets one. */
export class RawHttp2 {
  private received = Buffer.alloc(0);
  private ended = false;

  private constructor(readonly socket: TLSSocket) {
    socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
    });
    socket.on('error', () => undefined);
    socket.once('close', () => {
      this.ended = true;
    });
  }

  static async open(address: string): Promise<RawHttp2> {
    const socket = connect({
      ...hostPort(address),
      ALPNProtocols: ['h2'],
      rejectUnauthorized: false,
    });
    await once(socket, 'secureConnect');
    const raw = new RawHttp2(socket);
    socket.write(PREFACE);
    socket.write(frame(FRAME.settings, 0, 0, Buffer.alloc(0)));
    return raw;
  }

  get isOpen(): boolean {
    return !this.ended;
  }

  /** Types and payloads of the frames that came. */
  frames(): { readonly type: number; readonly stream: number; readonly payload: Buffer }[] {
    const found = [];
    let at = 0;
    while (at + HEADER_BYTES <= this.received.length) {
      const length = this.received.readUIntBE(at, 3);
      const type = this.received.readUInt8(at + 3);
      const stream = this.received.readUInt32BE(at + 5);
      const payload = this.received.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length);
      found.push({ type, stream, payload });
      at += HEADER_BYTES + length;
    }
    return found;
  }

  /** The error code of the GOAWAY that came; undefined while there is none. */
  goAway(): number | undefined {
    return this.frames()
      .find(({ type }) => type === FRAME.goAway)
      ?.payload.readUInt32BE(4);
  }

  write(frames: Buffer): void {
    if (!this.ended) this.socket.write(frames);
  }

  close(): void {
    this.socket.destroy();
  }
}
