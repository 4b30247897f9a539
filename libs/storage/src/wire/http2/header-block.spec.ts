import { describe, expect, it } from '@jest/globals';
import { decodeFields, encodeFields } from './header-block.js';

const fieldsOf = (hex: string): object => ({
  ...decodeFields(Buffer.from(hex.replaceAll(' ', ''), 'hex')),
});

describe('decodeFields()', () => {
  // The blocks of RFC 7541, appendix C.
  it.each([
    {
      name: 'a literal that is to be kept',
      hex: '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572',
      want: { 'custom-key': 'custom-header' },
    },
    {
      name: 'a literal with a name of the table',
      hex: '040c 2f73 616d 706c 652f 7061 7468',
      want: { ':path': '/sample/path' },
    },
    {
      name: 'a literal that nobody may keep',
      hex: '1008 7061 7373 776f 7264 0673 6563 7265 74',
      want: { password: 'secret' },
    },
    { name: 'an entry of the table', hex: '82', want: { ':method': 'GET' } },
    {
      name: 'a request in Huffman code',
      hex: '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
      want: {
        ':method': 'GET',
        ':scheme': 'http',
        ':path': '/',
        ':authority': 'www.example.com',
      },
    },
    {
      name: 'an answer in Huffman code',
      hex: '4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
      want: {
        ':status': '302',
        'cache-control': 'private',
        date: 'Mon, 21 Oct 2013 20:13:21 GMT',
        location: 'https://www.example.com',
      },
    },
    { name: 'a table made smaller', hex: '20 88', want: { ':status': '200' } },
  ])('reads $name', ({ hex, want }) => {
    expect(fieldsOf(hex)).toEqual(want);
  });

  it('takes a name that all objects have as any other', () => {
    const fields = decodeFields(Buffer.from('00095f5f70726f746f5f5f0161', 'hex'));
    expect(Object.entries(fields)).toEqual([['__proto__', 'a']]);
  });

  it.each([
    { name: 'a string that is cut off', hex: '0003 6162' },
    { name: 'an entry of the table that is not kept', hex: 'be' },
    { name: 'a number without end', hex: '7fff ffff ffff ffff ffff ff' },
    { name: 'padding of a whole byte', hex: '0001 6182 07ff' },
    { name: 'a letter that ends the text', hex: '0001 6184 ffff ffff' },
  ])('refuses $name', ({ hex }) => {
    expect(() => fieldsOf(hex)).toThrow(RangeError);
  });
});

describe('encodeFields()', () => {
  it('writes what is read again, long values too', () => {
    const fields = { ':path': '/etcdserverpb.KV/Txn', te: 'trailers', token: 'x'.repeat(40_000) };
    expect({ ...decodeFields(encodeFields(fields)) }).toEqual(fields);
  });
});
