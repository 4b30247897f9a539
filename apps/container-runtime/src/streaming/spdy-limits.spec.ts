import { duplexPair } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { acceptSpdy } from './spdy-session.js';

const frame = (...words: number[]): Buffer => {
  const bytes = Buffer.alloc(4 * words.length);
  words.forEach((word, i) => bytes.writeUInt32BE(word, 4 * i));
  return bytes;
};

describe('limitSpdy()', () => {
  it.each([
    { name: 'pings', one: frame(0x80030006, 4, 1), count: 50_000 },
    { name: 'data of streams that are not there', one: frame(99, 4, 0), count: 50_000 },
  ])('hangs up on a flood of $name whose answers nobody reads', async ({ one, count }) => {
    const [near, far] = duplexPair();
    const closed = new Promise((resolve) => near.once('close', resolve));
    acceptSpdy(near, () => undefined);
    const many = Buffer.concat(Array.from({ length: 1_000 }, () => one));
    for (let i = 0; i < count / 1_000; i++) far.write(many);
    await closed;
    expect(near.destroyed).toBe(true);
  });
});
