import { describe, expect, it } from '@jest/globals';
import { UNARY_METHODS, WATCH } from './etcd-messages.js';
import { FRAME_HEAD, decode, encodeFrame } from './protobuf.js';

const { range, txn } = UNARY_METHODS;
const hex = (buffer: Buffer): string => buffer.toString('hex');

describe('messages of the KV service', () => {
  it.each([
    {
      name: 'a range of one key',
      type: range.request,
      value: { key: Buffer.from('/a') },
      bytes: '0a022f61',
    },
    {
      name: 'numbers and strings of numbers, enums by name, true alone of the two',
      type: range.request,
      value: {
        key: Buffer.from('k'),
        limit: 300,
        revision: '5',
        sort_order: 'Descend' as const,
        sort_target: 'Mod' as const,
        keys_only: false,
        count_only: true,
      },
      bytes: '0a016b18ac022005280230034801',
    },
    {
      name: 'a transaction that creates a key',
      type: txn.request,
      value: {
        compare: [{ key: Buffer.from('k'), target: 'Mod', result: 'Equal', mod_revision: 0 }],
        success: [{ request_put: { key: Buffer.from('k'), value: Buffer.from('v') } }],
        failure: [{ request_range: { key: Buffer.from('k') } }],
      },
      bytes: '0a051a016b1002120812060a016b1201761a050a030a016b',
    },
    {
      name: 'an id of a lease beyond what a number holds',
      type: txn.request,
      value: {
        success: [{ request_put: { key: Buffer.from('k'), lease: '7587855094383345667' } }],
      },
      bytes: '120f120d0a016b188380ee9e99c0dea669',
    },
  ])('writes $name', ({ type, value, bytes }) => {
    const frame = encodeFrame(type, value);
    expect(hex(frame.subarray(FRAME_HEAD))).toBe(bytes);
    expect(frame.readUInt32BE(1)).toBe(frame.length - FRAME_HEAD);
    expect(frame[0]).toBe(0);
  });

  it('refuses fields that it does not know, rather than to leave them out', () => {
    expect(() => encodeFrame(range.request, { prefix: true })).toThrow('no field prefix');
  });

  it('reads an answer in the shapes of etcd3, without the ids of cluster and member', () => {
    const answer = Buffer.from(
      '0a1a08b298eaf1948386fccd0110cdd2918bd2b881cf8e011807200312160a016b1004180720012a0176308380ee9e99c0dea669180120ac02',
      'hex',
    );
    expect(decode(range.response, answer)).toEqual({
      header: { revision: '7', raft_term: '3' },
      kvs: [
        {
          key: Buffer.from('k'),
          create_revision: '4',
          mod_revision: '7',
          version: '1',
          value: Buffer.from('v'),
          lease: '7587855094383345667',
        },
      ],
      more: true,
      count: '300',
    });
  });

  it('reads each answer of a transaction as what it is', () => {
    const answer = Buffer.from('0a02180910011a0612040a0218091a060a0418012001', 'hex');
    expect(decode(txn.response, answer)).toMatchObject({
      header: { revision: '9' },
      succeeded: true,
      responses: [
        { response_put: { header: { revision: '9' }, prev_kv: null } },
        { response_range: { kvs: [], more: true, count: '1' } },
      ],
    });
  });

  it('refuses a message that is cut off', () => {
    expect(() => decode(range.response, Buffer.from('0a0518', 'hex'))).toThrow('cut off');
  });

  it('writes what a watch asks: to begin, and whether it lives', () => {
    const create = { key: Buffer.from('k'), start_revision: 5, prev_kv: true, fragment: true };
    const frame = encodeFrame(WATCH.request, { create_request: create });
    expect(hex(frame)).toBe('000000000b0a090a016b180530014001');
    expect(hex(encodeFrame(WATCH.request, { progress_request: {} }))).toBe('00000000021a00');
  });

  it.each([
    {
      name: 'a new key and a deletion with what was there',
      bytes: '0a0218085a0c120a0a016b100818082a01765a10080112050a016b18091a050a016b1808',
      value: {
        header: { revision: '8' },
        canceled: false,
        events: [
          { type: 'Put', kv: { mod_revision: '8', create_revision: '8' }, prev_kv: null },
          { type: 'Delete', kv: { mod_revision: '9' }, prev_kv: { mod_revision: '8' } },
        ],
      },
    },
    {
      name: 'that history was compacted',
      bytes: '200128073204676f6e65',
      value: { canceled: true, compact_revision: '7', cancel_reason: 'gone', events: [] },
    },
  ])('reads what a watch tells: $name', ({ bytes, value }) => {
    expect(decode(WATCH.response, Buffer.from(bytes, 'hex'))).toMatchObject(value);
  });
});
