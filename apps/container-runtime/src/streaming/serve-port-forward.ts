import { Duplex } from 'node:stream';
import type { SpdyStream } from 'spdy-transport';
import type { WebSocket } from 'ws';
import { forwardPort } from './forward-port.js';
import type { ForwardTarget } from './forward-port.js';
import { acceptSpdy, typeOf } from './spdy-session.js';
import { toBuffer } from './websocket-streams.js';

interface Pair {
  data?: SpdyStream;
  error?: SpdyStream;
}

const MOST_PORT = 65_535;

/** A stream for a port, of a sort that there is (k8s kubelet pkg/cri/streaming/portforward/httpstream.go:httpStreamReceived). */
function isForPort(stream: SpdyStream): boolean {
  const port = stream.headers['port'] ?? '';
  const isPort = /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= MOST_PORT;
  return isPort && ['data', 'error'].includes(typeOf(stream));
}

/**
 * `portforward.k8s.io` on SPDY: for each connection the client opens an error and a data stream with the same
 * request id. `socket` may itself be tunnelled through a WebSocket.
 */
export function serveSpdyForward(socket: Duplex, target: ForwardTarget): void {
  const pairs = new Map<string, Pair>();
  const join = (stream: SpdyStream): void => {
    const id = stream.headers['requestid'] ?? stream.headers['port'] ?? '';
    const pair = pairs.get(id) ?? {};
    pairs.set(id, pair);
    if (typeOf(stream) === 'data') pair.data = stream;
    else pair.error = stream;
    const { data, error } = pair;
    if (!data || !error) return;
    pairs.delete(id);
    error.resume();
    void forwardPort(data, target, Number(data.headers['port'])).then((text) => {
      error.end(text);
    });
  };
  acceptSpdy(socket, join, isForPort);
}

/** One of the pod's ports within a WebSocket of `v4.channel.k8s.io`: channel 2i carries data, 2i+1 errors. */
function portChannel(socket: WebSocket, channel: number): Duplex {
  return new Duplex({
    read: () => {
      socket.resume();
    },
    write: (chunk: Buffer, _encoding, done) => {
      socket.send(Buffer.concat([Buffer.from([channel]), chunk]), () => {
        done();
      });
    },
  });
}

/** The older form without SPDY, which names its ports in the request. */
export function serveWebsocketForward(
  socket: WebSocket,
  target: ForwardTarget,
  ports: readonly number[],
  hangUp: () => void,
): void {
  const channels = ports.map((port, index) => {
    const data = portChannel(socket, index * 2);
    for (const channel of [index * 2, index * 2 + 1]) {
      const head = Buffer.from([channel, 0, 0]);
      head.writeUInt16LE(port, 1);
      socket.send(head);
    }
    void forwardPort(data, target, port).then((text) => {
      if (text === '') {
        socket.close(1000);
        hangUp();
      } else socket.send(Buffer.concat([Buffer.from([index * 2 + 1]), Buffer.from(text)]));
    });
    return data;
  });
  socket.on('message', (raw) => {
    const message = toBuffer(raw);
    const channel = channels[(message[0] ?? 0) / 2];
    if (channel?.push(message.subarray(1)) === false) socket.pause();
  });
  socket.on('error', () => {
    socket.terminate();
  });
  socket.once('close', () => {
    for (const channel of channels) channel.destroy();
  });
}
