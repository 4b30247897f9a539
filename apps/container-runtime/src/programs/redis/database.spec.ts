import { describe, expect, it } from '@jest/globals';
import { SystemClock } from '@orrery/component';
import { Channels } from './channels.js';
import { Database } from './database.js';
import type { Reply } from './resp.js';

function plain(reply: Reply): unknown {
  if (Buffer.isBuffer(reply)) return reply.toString();
  return Array.isArray(reply) ? reply.map((one) => plain(one as Reply)) : reply;
}

/** What a fresh server answers to each line. */
function answers(...lines: readonly string[]): unknown[] {
  const database = new Database(new SystemClock());
  return lines.map((line) => plain(database.run(line.split(' ').map((word) => Buffer.from(word)))));
}

describe(Database.name, () => {
  it.each<[name: string, lines: string[], want: unknown[]]>([
    [
      'pushes and reads lists at both ends',
      ['RPUSH l a b', 'LPUSH l z y', 'LRANGE l 0 -1'],
      [2, 4, ['y', 'z', 'a', 'b']],
    ],
    [
      'pops one or several',
      ['RPUSH l a b c', 'LPOP l', 'RPOP l 5', 'EXISTS l'],
      [3, 'a', ['c', 'b'], 0],
    ],
    [
      'counts from the end',
      ['RPUSH l a b c', 'LINDEX l -1', 'LRANGE l -2 -1'],
      [3, 'c', ['b', 'c']],
    ],
    [
      'changes and removes elements',
      ['RPUSH l a b a', 'LSET l 1 x', 'LREM l -1 a', 'LRANGE l 0 -1'],
      [3, { ok: 'OK' }, 1, ['a', 'x']],
    ],
    [
      'trims, and moves between lists',
      ['RPUSH l a b c', 'LTRIM l 0 1', 'RPOPLPUSH l m', 'LRANGE m 0 -1'],
      [3, { ok: 'OK' }, 'b', ['b']],
    ],
    [
      'keeps strings and lists apart',
      ['SET s x', 'LPUSH s y', 'RPUSH l a', 'GET l', 'TYPE l'],
      [
        { ok: 'OK' },
        { error: 'WRONGTYPE Operation against a key holding the wrong kind of value' },
        1,
        { error: 'WRONGTYPE Operation against a key holding the wrong kind of value' },
        { ok: 'list' },
      ],
    ],
    [
      'answers for what is not there',
      ['LPOP n', 'LLEN n', 'LSET n 0 x', 'LPUSHX n x', 'MGET n'],
      [null, 0, { error: 'ERR no such key' }, 0, [null]],
    ],
    [
      'sets and reads several strings',
      ['MSET a 1 b 2', 'MGET a b', 'SETNX a 9', 'APPEND a 0', 'DECRBY a 5'],
      [{ ok: 'OK' }, ['1', '2'], 0, 2, 5],
    ],
    [
      'forgets when told',
      ['SET a 1 EX 100', 'TTL a', 'PERSIST a', 'TTL a'],
      [{ ok: 'OK' }, 100, 1, -1],
    ],
  ])('%s', (_name, lines, want) => {
    expect(answers(...lines)).toEqual(want);
  });
});

describe(Channels.name, () => {
  it('sends to channels and patterns, and tells how many heard it', () => {
    const channels = new Channels();
    const heard: unknown[] = [];
    const listener = { send: (reply: Reply): void => void heard.push(plain(reply)) };
    channels.subscribe(listener, ['news'], 'channels');
    channels.subscribe(listener, ['n*'], 'patterns');
    expect(channels.publish('news', Buffer.from('hi'))).toBe(2);
    expect(channels.publish('other', Buffer.from('hi'))).toBe(0);
    channels.unsubscribe(listener, [], 'channels');
    expect(channels.publish('news', Buffer.from('ho'))).toBe(1);
    expect(heard).toEqual([
      ['subscribe', 'news', 1],
      ['psubscribe', 'n*', 2],
      ['message', 'news', 'hi'],
      ['pmessage', 'n*', 'news', 'hi'],
      ['unsubscribe', 'news', 1],
      ['pmessage', 'n*', 'news', 'ho'],
    ]);
    channels.leave(listener);
    expect([channels.isListening(listener), channels.publish('news', Buffer.from('x'))]).toEqual([
      false,
      0,
    ]);
  });
});
