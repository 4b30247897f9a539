/** Frames of HTTP/2 (RFC 9113, section 6). */
export const FRAME_HEAD_BYTES = 9;
/** What a side takes that says nothing else. */
export const DEFAULT_FRAME_BYTES = 16_384;
export const DEFAULT_WINDOW = 65_535;

export const TYPE = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goAway: 7,
  window: 8,
  continuation: 9,
} as const;

export const FLAG = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 32 } as const;

export const SETTING = { tableSize: 1, push: 2, streams: 3, window: 4, frameBytes: 5 } as const;

export const CODE = { none: 0, protocol: 1, flowControl: 3, frameSize: 6, refused: 7, cancel: 8 };

/** Writes a frame's head into `target`. */
export function writeHead(
  target: Buffer,
  at: number,
  {
    length,
    type,
    flags = 0,
    id = 0,
  }: { length: number; type: number; flags?: number; id?: number },
): void {
  target.writeUIntBE(length, at, 3);
  target[at + 3] = type;
  target[at + 4] = flags;
  target.writeUInt32BE(id, at + 5);
}

export function frame(type: number, payload: Buffer, flags = 0, id = 0): Buffer {
  const whole = Buffer.allocUnsafe(FRAME_HEAD_BYTES + payload.length);
  writeHead(whole, 0, { length: payload.length, type, flags, id });
  payload.copy(whole, FRAME_HEAD_BYTES);
  return whole;
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function settings(values: readonly (readonly [number, number])[]): Buffer {
  const payload = Buffer.allocUnsafe(values.length * 6);
  for (const [i, [name, value]] of values.entries()) {
    payload.writeUInt16BE(name, i * 6);
    payload.writeUInt32BE(value, i * 6 + 2);
  }
  return frame(TYPE.settings, payload);
}

export function* settingsIn(payload: Buffer): Generator<readonly [number, number]> {
  for (let at = 0; at + 6 <= payload.length; at += 6)
    yield [payload.readUInt16BE(at), payload.readUInt32BE(at + 2)];
}

/** What a frame carries, without padding and without what it says of priorities. */
export function contentOf(payload: Buffer, flags: number, hasPriority: boolean): Buffer {
  let from = 0;
  let to = payload.length;
  if ((flags & FLAG.padded) !== 0) {
    from = 1;
    to -= payload[0] ?? 0;
  }
  if (hasPriority && (flags & FLAG.priority) !== 0) from += 5;
  if (to < from) throw new RangeError('a frame is all padding');
  return payload.subarray(from, to);
}

export interface FrameHandler {
  frame(type: number, flags: number, id: number, payload: Buffer): void;
}

/** Cuts what comes from a socket into frames. */
export class FrameSplitter {
  private rest: Buffer | undefined;

  constructor(private readonly handler: FrameHandler) {}

  /** Throws RangeError for a frame larger than we take. */
  push(chunk: Buffer): void {
    const source = this.rest ? Buffer.concat([this.rest, chunk]) : chunk;
    let at = 0;
    while (source.length - at >= FRAME_HEAD_BYTES) {
      const length = source.readUIntBE(at, 3);
      if (length > DEFAULT_FRAME_BYTES) throw new RangeError(`a frame of ${length} bytes`);
      const end = at + FRAME_HEAD_BYTES + length;
      if (end > source.length) break;
      const id = source.readUInt32BE(at + 5) & 0x7f_ff_ff_ff;
      const payload = source.subarray(at + FRAME_HEAD_BYTES, end);
      this.handler.frame(source[at + 3] ?? 0, source[at + 4] ?? 0, id, payload);
      at = end;
    }
    this.rest = at < source.length ? source.subarray(at) : undefined;
  }
}
