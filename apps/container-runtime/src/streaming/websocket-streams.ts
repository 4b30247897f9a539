import { PassThrough, Writable } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { ended, outcomeStatus, outcomeText, parseResize } from './remote-streams.js';
import type { RemoteStreams, WantedStreams } from './remote-streams.js';

/** Channel numbers, the first byte of every message (k8s kubelet remotecommand/websocket.go). */
const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const ERROR = 3;
const RESIZE = 4;
/** Version 5 only: the second byte names a channel whose sender is done. */
const CLOSE = 255;

export const WEBSOCKET_VERSIONS = [
  'v5.channel.k8s.io',
  'v4.channel.k8s.io',
  'channel.k8s.io',
] as const;

export function toBuffer(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}

/** Bytes of one message (golang.org/x/net/websocket:DefaultMaxPayloadBytes). */
export const MOST_MESSAGE = 32 * 1024 * 1024;

/** Answers to pings that may wait for a client which reads none of them, in bytes. */
const MOST_PONGS = 1024 * 1024;

/** Answers pings, of who reads what is said. */
export function answerPings(socket: WebSocket): void {
  socket.on('ping', (payload: Buffer) => {
    if (socket.bufferedAmount > MOST_PONGS) socket.terminate();
    else socket.pong(payload);
  });
}

function channelOf(socket: WebSocket, channel: number): Writable {
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      // An error means that the caller has left, which `gone` tells.
      socket.send(Buffer.concat([Buffer.from([channel]), chunk]), () => {
        done();
      });
    },
  });
}

/** Exec or attach over one WebSocket. */
export function websocketStreams(socket: WebSocket, want: WantedStreams): RemoteStreams {
  const gone = new AbortController();
  const stdin = want.stdin ? new PassThrough() : undefined;
  const stdout = want.stdout ? channelOf(socket, STDOUT) : undefined;
  const stderr = want.stderr && !want.tty ? channelOf(socket, STDERR) : undefined;
  const resizes: ((columns: number, rows: number) => void)[] = [];
  socket.on('message', (data) => {
    const message = toBuffer(data);
    const body = message.subarray(1);
    if (message[0] === STDIN) {
      if (stdin?.write(body) === false) {
        socket.pause();
        stdin.once('drain', () => {
          socket.resume();
        });
      }
    } else if (message[0] === RESIZE) {
      const size = parseResize(body.toString());
      if (size) for (const listener of resizes) listener(size.columns, size.rows);
    } else if (message[0] === CLOSE && body[0] === STDIN) stdin?.end();
  });
  socket.on('error', () => {
    socket.terminate();
  });
  socket.once('close', () => {
    gone.abort();
    stdin?.end();
  });
  return {
    stdin,
    stdout,
    stderr,
    gone: gone.signal,
    onResize: (listener) => {
      resizes.push(listener);
    },
    finish: async (outcome) => {
      await Promise.all([ended(stdout), ended(stderr)]);
      const text = socket.protocol.startsWith('v') ? outcomeStatus(outcome) : outcomeText(outcome);
      if (text !== '') await ended(channelOf(socket, ERROR), text);
      socket.close(1000);
    },
  };
}
