import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { MAX_HEADER_BYTES, endSocket } from '@orrery/component';
import type { ResponseOrder } from '@orrery/component';

/** k8s apiserver pkg/server/secure_serving.go:Serve. */
export const HTTP1_LIMITS = {
  maxHeaderSize: MAX_HEADER_BYTES,
  headersTimeout: 32_000,
  handshakeTimeout: 32_000,
  // Who has vanished is noticed where nothing is said for long, too.
  keepAlive: true,
  keepAliveInitialDelay: 180_000,
} as const;

const OVERFLOW = '431 Request Header Fields Too Large';
const MALFORMED = '400 Bad Request';

/**
 * What Go's server says before it ends a connection (net/http:conn.serve): to what is no HTTP alone. A handshake or headers that
 * did not come in time are told nothing, since whatever is written then is the answer to a request that nobody has read.
 */
function answerTo({ code = '' }: NodeJS.ErrnoException): string | undefined {
  if (!code.startsWith('HPE_')) return undefined;
  return code === 'HPE_HEADER_OVERFLOW' ? OVERFLOW : MALFORMED;
}

const isUnderWay = (response: ServerResponse): boolean =>
  response.headersSent && !response.writableFinished;

/** Ends the connection of who speaks no HTTP, or too slowly; told behind the answers to what was asked on it before. */
export function refuseMalformed(
  error: NodeJS.ErrnoException,
  socket: Socket,
  order: Pick<ResponseOrder, 'owedTo' | 'turn'>,
): void {
  const answer = answerTo(error);
  if (answer === undefined || !socket.writable) {
    socket.destroy();
    return;
  }
  const owed = order.owedTo(socket);
  const say = (): void => {
    // Who has gone meanwhile hears nothing: to write to such a socket makes an error with a stack, for each of them.
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    const head = `HTTP/1.1 ${answer}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close`;
    endSocket(socket, `${head}\r\n\r\n${answer}`);
  };
  // What is wrong may be the body of the last request, whose answer would wait for it.
  if (owed.every(({ req }) => req.complete))
    void order.turn(socket).then((may) => {
      if (may) say();
    });
  else if (owed.some(isUnderWay)) socket.destroy();
  else say();
}
