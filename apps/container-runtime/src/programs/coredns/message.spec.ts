import { describe, expect, it } from '@jest/globals';
import { RCODE, TYPE, decodeQuery, encodeAnswer, encodeName } from './message.js';
import type { Query, ResourceRecord } from './message.js';

function packet(name: string, type: number, size?: number): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0x1234, 0);
  head.writeUInt16BE(0x0100, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(size === undefined ? 0 : 1, 10);
  const tail = Buffer.alloc(4);
  tail.writeUInt16BE(type, 0);
  tail.writeUInt16BE(1, 2);
  const opt = Buffer.alloc(size === undefined ? 0 : 11);
  if (size !== undefined) {
    opt.writeUInt16BE(41, 1);
    opt.writeUInt16BE(size, 3);
  }
  return Buffer.concat([head, encodeName(name), tail, opt]);
}

function query(name: string, type: number, size?: number): Query {
  const decoded = decodeQuery(packet(name, type, size));
  if (!decoded) throw new TypeError('no query');
  return decoded;
}

const record = (name: string, address: string): ResourceRecord => ({
  name,
  ttl: 30,
  data: { type: address.includes(':') ? TYPE.AAAA : TYPE.A, address },
});

describe('DNS messages', () => {
  it('reads a question in small letters and what its client takes', () => {
    expect(query('Web.Shop', TYPE.A)).toMatchObject({
      id: 0x1234,
      name: 'web.shop',
      type: TYPE.A,
      recursion: true,
      size: 512,
    });
    expect(query('web', TYPE.A, 1232).size).toBe(1232);
  });

  it.each([
    { name: 'nothing', bytes: Buffer.alloc(0) },
    { name: 'a header alone', bytes: packet('web', TYPE.A).subarray(0, 12) },
    { name: 'half a name', bytes: packet('web', TYPE.A).subarray(0, 14) },
    {
      name: 'a name without end',
      bytes: Buffer.concat([packet('a', 1).subarray(0, 12), Buffer.from([0xc0, 0x0c, 0, 1, 0, 1])]),
    },
  ])('refuses $name', ({ bytes }) => {
    expect(() => decodeQuery(bytes)).toThrow(/out of range|shorter|compressed/);
  });

  it('leaves answers and other classes alone', () => {
    const answer = packet('web', TYPE.A);
    answer.writeUInt16BE(0x8100, 2);
    expect(decodeQuery(answer)).toBeUndefined();
  });

  it('writes addresses of both families', () => {
    const asked = query('web', TYPE.A);
    const answers = [record('web', '10.0.0.7'), record('web', 'fd00::7')];
    const bytes = encodeAnswer(asked, { rcode: RCODE.noError, answers }, 512);
    expect(bytes.readUInt16BE(6)).toBe(2);
    expect(bytes.includes(Buffer.from([0, 4, 10, 0, 0, 7]))).toBe(true);
    const six = Buffer.from([0, 16, 0xfd, ...Array.from({ length: 14 }, () => 0), 7]);
    expect(bytes.includes(six)).toBe(true);
  });

  it('says when an answer does not fit', () => {
    const answers = Array.from({ length: 40 }, () => record('web', '10.0.0.7'));
    const bytes = encodeAnswer(query('web', TYPE.A), { rcode: RCODE.noError, answers }, 512);
    expect(bytes.readUInt16BE(2) & 0x0200).toBe(0x0200);
    expect(bytes.readUInt16BE(6)).toBe(0);
    expect(bytes.length).toBeLessThan(512);
  });
});
