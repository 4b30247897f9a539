import type { Duplex } from 'node:stream';
import type { FrameHead, Scheduled, SpdyConnection, SpdyStream } from 'spdy-transport';

/** Of the frames of SPDY/3.1. */
const VERSION = 3;
const PING = { type: 6, length: 4 } as const;
/** Bytes of a control frame, packed or unpacked: the headers of a stream are some hundred. */
const MOST_CONTROL = 64 * 1024;
/** Streams that are open at once: two for each connection to a forwarded port. */
const MOST_STREAMS = 2_000;
/** Bytes of a stream that wait for who reads it; then the connection is not read. */
const MOST_UNREAD = 256 * 1024;
/** Bytes that wait for the client; then who writes more waits, too. */
const MOST_UNSENT = 256 * 1024;
/** With the answers to its own frames, which nobody can be made to wait for: such a client reads none of them. */
const MOST_UNHEARD = 384 * 1024;

/** Bounds what the library keeps for one client; whoever goes beyond is hung up on. Call it after `start`. */
export function limitSpdy(connection: SpdyConnection, socket: Duplex): void {
  limitControlFrames(connection);
  limitUnpacking(connection, socket);
  holdBackClient(connection);
  holdBackWriters(connection, socket);
  connection.on('stream', () => {
    if (connection._spdyState.stream.count > MOST_STREAMS) socket.destroy();
  });
}

/** The library gathers a control frame of any length before it looks at it, and takes those of other versions. */
function limitControlFrames({ _spdyState: { parser } }: SpdyConnection): void {
  const read = parser.onFrameHead.bind(parser);
  parser.onFrameHead = (buffer, callback) => {
    read(buffer, (error, frame) => {
      callback(error ?? controlFault(parser.pendingHeader), frame);
    });
  };
}

function controlFault(head: FrameHead | null): Error | null {
  if (!head?.control) return null;
  if (head.version !== VERSION) return new Error(`unsupported SPDY version: ${head.version}`);
  if (head.type === PING.type && head.length !== PING.length)
    return new Error('a ping has four bytes');
  return head.length > MOST_CONTROL ? new Error('the control frame is too long') : null;
}

/** A thousand bytes of headers may be packed into one. */
function limitUnpacking({ _spdyState: { parser, pair } }: SpdyConnection, socket: Duplex): void {
  const { decompress } = pair;
  let unpacked = 0;
  decompress.on('error', () => undefined);
  decompress.on('data', (chunk: Buffer) => {
    unpacked += chunk.length;
    if (unpacked <= MOST_CONTROL) return;
    decompress.destroy();
    socket.destroy();
  });
  const parse = parser.parseKVs.bind(parser);
  parser.parseKVs = (buffer, callback) => {
    unpacked = 0;
    parse(buffer, callback);
  };
}

/** Clients know no windows of SPDY: what is not read must hold up their connection, as it does in docker/spdystream. */
function holdBackClient(connection: SpdyConnection): void {
  const { parser, stream: streams } = connection._spdyState;
  let held: SpdyStream | undefined;
  const letGo = (stream: SpdyStream): void => {
    if (held !== stream) return;
    held = undefined;
    parser.resume();
  };
  connection.on('frame', ({ type, id }) => {
    const stream = type === 'DATA' && id !== undefined ? streams.map[id] : undefined;
    if (!stream || stream.readableLength < MOST_UNREAD) return;
    held = stream;
    parser.pause();
  });
  connection.on('stream', (stream) => {
    const read = stream._read.bind(stream);
    stream._read = (size) => {
      read(size);
      letGo(stream);
    };
    stream.once('close', () => {
      letGo(stream);
    });
  });
}

/** The library takes what is written at once, whether it can be sent or not. */
function holdBackWriters({ _spdyState: { framer } }: SpdyConnection, socket: Duplex): void {
  const waiting: (() => void)[] = [];
  const schedule = framer.schedule.bind(framer);
  const read = framer._read.bind(framer);
  framer.schedule = (item: Scheduled) => {
    const { priority, callback } = item;
    if (priority === false || !callback) {
      schedule(item);
      if (framer.readableLength > MOST_UNHEARD) socket.destroy();
      return;
    }
    const taken = (error?: Error | null): void => {
      if (error || framer.readableLength < MOST_UNSENT) callback(error);
      else waiting.push(callback);
    };
    schedule({ ...item, callback: taken });
  };
  framer._read = (size) => {
    read(size);
    if (framer.readableLength < MOST_UNSENT) for (const go of waiting.splice(0)) go();
  };
}
