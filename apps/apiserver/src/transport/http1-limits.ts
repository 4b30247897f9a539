import type { Socket } from 'node:net';

/** k8s apiserver pkg/server/secure_serving.go:Serve. */
export const HTTP1_LIMITS = {
  maxHeaderSize: 1024 * 1024,
  headersTimeout: 32_000,
  handshakeTimeout: 32_000,
} as const;

const ANSWERS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** Ends the connection of who speaks no HTTP, or too slowly, with an answer as Go's server gives it. */
export function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const answer = ANSWERS[error.code ?? ''] ?? '400 Bad Request';
  if (socket.writable) {
    const head = `HTTP/1.1 ${answer}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close`;
    socket.write(`${head}\r\n\r\n${answer}`);
  }
  socket.destroySoon();
}
