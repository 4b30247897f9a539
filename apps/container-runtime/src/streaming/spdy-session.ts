import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';
import type transport from 'spdy-transport';
import type { SpdyConnection, SpdyStream } from 'spdy-transport';
import { limitSpdy } from './spdy-limits.js';

const load = createRequire(import.meta.url);

/** The kind of stream that a client opened, from its headers. */
export const typeOf = (stream: SpdyStream): string => stream.headers['streamtype'] ?? '';

/** SPDY/3.1 on a connection that is already upgraded; default: every stream is accepted. */
export function acceptSpdy(
  socket: Duplex,
  onStream: (stream: SpdyStream) => void,
  isWanted: (stream: SpdyStream) => boolean = () => true,
): SpdyConnection {
  // Loaded by the first exec: a node that starts need not wait for it.
  const { connection: connections } = load('spdy-transport') as typeof transport;
  const connection = connections.create(socket, { protocol: 'spdy', isServer: true });
  allowBareStreams(connection);
  openWindows(connection);
  connection.on('error', () => socket.destroy());
  connection.on('stream', (stream) => {
    stream.on('error', () => undefined);
    if (!isWanted(stream)) {
      stream.abort('REFUSED_STREAM');
      return;
    }
    stream.respond(200, {});
    onStream(stream);
  });
  connection.start(3.1);
  limitSpdy(connection, socket);
  return connection;
}

/**
 * kubectl and the API server speak SPDY with docker/spdystream, which knows no flow control: its windows would close for
 * good after 64 KiB. The connection's own back-pressure holds back who writes too fast.
 */
function openWindows(connection: SpdyConnection): void {
  const { window, streamWindow } = connection._spdyState;
  for (const { send } of [window, streamWindow]) {
    send.limit = Infinity;
    send.max = Infinity;
    send.current = Infinity;
    send.setMax = () => undefined;
  }
  connection.on('stream', ({ _spdyState }) => {
    _spdyState.window.send.updateMax = () => undefined;
  });
}

/** Kubernetes opens streams without :method and :path, which spdy-transport refuses. */
function allowBareStreams(connection: SpdyConnection): void {
  const { parser } = connection._spdyState;
  const parse = parser.parseKVs.bind(parser);
  parser.parseKVs = (buffer, callback) => {
    parse(buffer, (error, values) => {
      if (values) {
        values[':method'] ??= 'POST';
        values[':path'] ??= '/';
      }
      callback(error, values);
    });
  };
}
