import { Http2ServerRequest, Http2ServerResponse, constants } from 'node:http2';
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { ReadableOptions } from 'node:stream';
import type { TLSSocket } from 'node:tls';

/** The connection of each session: what a session itself hands out is a proxy, another one for every stream. */
const sockets = new WeakMap<object, TLSSocket>();

export function rememberSocket(session: ServerHttp2Session, socket: TLSSocket): void {
  sockets.set(session, socket);
}

/** A request over HTTP/2 that handlers can take for one over HTTP/1.1. */
export class StreamRequest extends Http2ServerRequest {
  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    options: ReadableOptions,
    rawHeaders: readonly string[],
  ) {
    super(stream, headers, options, rawHeaders);
    const socket = stream.session && sockets.get(stream.session);
    if (socket) Object.defineProperty(this, 'socket', { value: socket });
    headers.host ??= headers[':authority'] as string | undefined;
  }
}

/** An answer over HTTP/2; one that is cut is told from one that has ended, as by upstream's http.ErrAbortHandler. */
export class StreamResponse extends Http2ServerResponse {
  static {
    Object.defineProperty(StreamResponse.prototype, 'destroyed', {
      get(this: StreamResponse) {
        return this.stream.destroyed;
      },
    });
  }

  override destroy(): this {
    this.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    return this;
  }
}
