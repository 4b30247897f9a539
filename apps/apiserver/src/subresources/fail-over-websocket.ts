import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import type { StatusError } from '@orrery/apimachinery';
import { endSocket } from '@orrery/component';

/** The protocol whose clients the API server answers itself (k8s apimachinery pkg/util/remotecommand). */
const PROTOCOL = 'v5.channel.k8s.io';
/** RFC 6455, section 1.3. */
const MAGIC = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** Stream of the protocol that tells how a command ended. */
const ERROR_STREAM = 3;
const FINAL_BINARY = 0x82;
/** A close frame that says that all is well (status 1000). */
const CLOSE = [0x88, 2, 0x03, 0xe8];
const LENGTH_16 = 126;

/** Whether a client is told of failures on a WebSocket that has been opened (k8s apiserver pkg/util/proxy/streamtranslator.go). */
export const hearsOnWebSocket = (headers: IncomingHttpHeaders): boolean =>
  headers.upgrade?.toLowerCase() === 'websocket' &&
  (headers['sec-websocket-protocol'] ?? '').split(',').some((one) => one.trim() === PROTOCOL);

/** A frame of at most 64 KiB. */
function frame(stream: number, text: string): Buffer {
  const payload = Buffer.concat([Buffer.from([stream]), Buffer.from(text)]);
  const { length } = payload;
  const size = length < LENGTH_16 ? [length] : [LENGTH_16, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([FINAL_BINARY, ...size]), payload]);
}

/** Opens the WebSocket that was asked for, tells of the failure in its error stream and closes it. */
export function failOverWebSocket(
  socket: Duplex,
  headers: IncomingHttpHeaders,
  { status }: StatusError,
): void {
  const key = `${headers['sec-websocket-key'] ?? ''}${MAGIC}`;
  const head = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${createHash('sha1').update(key).digest('base64')}`,
    `Sec-WebSocket-Protocol: ${PROTOCOL}`,
  ];
  endSocket(
    socket,
    Buffer.concat([
      Buffer.from(`${head.join('\r\n')}\r\n\r\n`),
      frame(ERROR_STREAM, JSON.stringify(status)),
      Buffer.from(CLOSE),
    ]),
  );
}
