import { describe, expect, it } from '@jest/globals';
import { CommandReader, encodeReply } from './resp.js';

const words = (commands: Buffer[][]): string[][] => commands.map((parts) => parts.map(String));

describe('RESP', () => {
  it('reads commands that arrive byte by byte', () => {
    const reader = new CommandReader();
    const seen: string[][] = [];
    for (const byte of Buffer.from('*2\r\n$3\r\nGET\r\n$3\r\na\nb\r\nPING\r\n'))
      seen.push(...words(reader.push(Buffer.from([byte]))));
    expect(seen).toEqual([['GET', 'a\nb'], ['PING']]);
  });

  it('refuses what is no bulk string', () => {
    expect(() => new CommandReader().push(Buffer.from('*1\r\n:5\r\n'))).toThrow('expected');
  });

  it.each([
    { name: 'status', reply: { ok: 'OK' }, text: '+OK\r\n' },
    { name: 'error', reply: { error: 'ERR x' }, text: '-ERR x\r\n' },
    { name: 'nothing', reply: null, text: '$-1\r\n' },
    { name: 'list', reply: [1, Buffer.from('a')], text: '*2\r\n:1\r\n$1\r\na\r\n' },
  ])('writes $name', ({ reply, text }) => {
    expect(encodeReply(reply).toString()).toBe(text);
  });
});
