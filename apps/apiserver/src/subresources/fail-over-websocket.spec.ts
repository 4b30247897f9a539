import { PassThrough } from 'node:stream';
import { expect, it } from '@jest/globals';
import { newInternalError } from '@orrery/apimachinery';
import { failOverWebSocket, hearsOnWebSocket } from './fail-over-websocket.js';

it.each([
  [
    'v5 among others',
    { upgrade: 'websocket', 'sec-websocket-protocol': 'v5.channel.k8s.io, v4.channel.k8s.io' },
    true,
  ],
  ['v4 alone', { upgrade: 'WebSocket', 'sec-websocket-protocol': 'v4.channel.k8s.io' }, false],
  ['no protocol', { upgrade: 'websocket' }, false],
  ['SPDY', { upgrade: 'SPDY/3.1', 'sec-websocket-protocol': 'v5.channel.k8s.io' }, false],
])('hearsOnWebSocket(): %s', (_name, headers, expected) => {
  expect(hearsOnWebSocket(headers)).toBe(expected);
});

it.each([10, 500])('tells of a failure of %i letters in the error stream', async (length) => {
  const socket = new PassThrough();
  const said = socket.toArray() as Promise<Buffer[]>;
  const failure = newInternalError('x'.repeat(length));
  // The key and its answer of RFC 6455, section 1.3.
  failOverWebSocket(socket, { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' }, failure);
  const chunk = Buffer.concat(await said);
  const end = chunk.indexOf('\r\n\r\n') + 4;
  expect(chunk.subarray(0, end).toString()).toContain(
    'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n',
  );
  const text = JSON.stringify(failure.status);
  const size = text.length + 1;
  const sizes = size < 126 ? [size] : [126, size >> 8, size & 0xff];
  expect(chunk.subarray(end)).toEqual(
    Buffer.concat([
      Buffer.from([0x82, ...sizes, 3]),
      Buffer.from(text),
      Buffer.from([0x88, 2, 0x03, 0xe8]),
    ]),
  );
});
