import { describe, expect, it } from '@jest/globals';
import { Duplex, Readable } from 'node:stream';
import { FrameCutter, passFramesOn } from './websocket-frames.js';

/** An unmasked binary frame. */
function frame(size: number): Buffer {
  const payload = Buffer.alloc(size, 'x');
  if (size < 126) return Buffer.concat([Buffer.from([0x82, size]), payload]);
  if (size < 65_536) {
    return Buffer.concat([Buffer.from([0x82, 126, size >> 8, size & 0xff]), payload]);
  }
  const length = Buffer.alloc(8);
  length.writeBigUInt64BE(BigInt(size));
  return Buffer.concat([Buffer.from([0x82, 127]), length, payload]);
}

const masked = Buffer.concat([Buffer.from([0x82, 0x83, 1, 2, 3, 4]), Buffer.from('abc')]);

describe('the cutter of frames', () => {
  it.each([
    { name: 'two small frames', frames: [frame(1), frame(2)] },
    { name: 'frames without payload', frames: [frame(0), frame(0), frame(3)] },
    { name: 'frames of each form of length', frames: [frame(125), frame(126), frame(65_536)] },
    { name: 'a masked frame before another', frames: [masked, frame(1)] },
  ])('cuts $name that come at once', ({ frames }) => {
    expect(new FrameCutter().cut(Buffer.concat(frames))).toEqual(frames);
  });

  it.each([1, 2, 3, 5, 130])('never joins frames that come %i bytes at a time', (size) => {
    const frames = [frame(0), frame(126), masked, frame(7), frame(300)];
    const all = Buffer.concat(frames);
    const ends = frames.map((_, i) => Buffer.concat(frames.slice(0, i + 1)).length);
    const cutter = new FrameCutter();
    const pieces: Buffer[] = [];
    for (let at = 0; at < all.length; at += size)
      pieces.push(...cutter.cut(all.subarray(at, at + size)));
    expect(Buffer.concat(pieces)).toEqual(all);
    let at = 0;
    for (const piece of pieces) {
      const before = at;
      at += piece.length;
      expect(ends.filter((end) => end > before && end < at)).toEqual([]);
    }
  });
});

/** A client that takes its time, and notes what it is given in one go. */
class SlowClient extends Duplex {
  readonly records: number[] = [];

  override _read(): void {
    this.push(null);
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.records.push(chunk.length);
    setImmediate(done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.records.push(chunks.reduce((sum, { chunk }) => sum + chunk.length, 0));
    setImmediate(done);
  }
}

it('gives a slow client each frame by itself', async () => {
  const client = new SlowClient();
  const frames = [frame(1), frame(2), frame(3), frame(4)];
  await passFramesOn(Readable.from([Buffer.concat(frames)]), client);
  expect(client.records).toEqual(frames.map(({ length }) => length));
});

/** A client that takes everything at once. */
class QuickClient extends Duplex {
  frames = 0;

  override _read(): void {
    this.push(null);
  }

  override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
    this.frames += 1;
    done();
  }
}

it('lets others have their turn between very many frames that are taken at once', async () => {
  const client = new QuickClient();
  const count = 60_000;
  let turns = 0;
  let isOver = false;
  const tick = (): void => {
    turns += 1;
    if (!isOver) setImmediate(tick);
  };
  setImmediate(tick);
  await passFramesOn(Readable.from([Buffer.alloc(count * 2, Buffer.from([0x82, 0]))]), client);
  isOver = true;
  expect(client.frames).toBe(count);
  expect(turns).toBeGreaterThan(2);
});
