import { connect, constants } from 'node:http2';
import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  IncomingHttpHeaders,
  SecureClientSessionOptions,
} from 'node:http2';
import {
  CANCELLED,
  Connector,
  UNAVAILABLE,
  UNKNOWN,
  grpcError,
  statusIn,
  unreached,
} from './connection.js';
import type { Connection, ConnectionOptions, GrpcMethod } from './connection.js';
import { FRAME_HEAD, decode, encodeFrame } from './protobuf.js';

/** Answers and questions in any order. Reading throws however the stream ends, but for the other side's own good end. */
export interface MessageStream extends AsyncIterable<object> {
  write(request: object): void;
  cancel(): void;
}

/** Puts messages together from the pieces in which they come. */
class Frames {
  private parts: Buffer[] = [];
  private size = 0;

  *take(chunk: Buffer): Generator<Buffer> {
    this.parts.push(chunk);
    this.size += chunk.length;
    while (this.size >= FRAME_HEAD) {
      const head = this.front(FRAME_HEAD);
      const end = FRAME_HEAD + head.readUInt32BE(1);
      if (this.size < end) return;
      const whole = this.front(end);
      const rest = whole.subarray(end);
      this.parts = rest.length > 0 ? [rest] : [];
      this.size = rest.length;
      yield whole.subarray(FRAME_HEAD, end);
    }
  }

  /** What is there in one piece, when the first piece is shorter than `length`. */
  private front(length: number): Buffer {
    const [first] = this.parts;
    if (first && first.length >= length && this.parts.length === 1) return first;
    if (first && first.length >= length && length === FRAME_HEAD) return first;
    const whole = Buffer.concat(this.parts);
    this.parts = [whole];
    return whole;
  }
}

class StreamCall implements MessageStream {
  private readonly opened: Promise<ClientHttp2Stream>;
  private open: (stream: ClientHttp2Stream) => void = () => undefined;
  private fail: (error: Error) => void = () => undefined;
  private stream: ClientHttp2Stream | undefined;
  private early: Buffer[] = [];
  private status: number | undefined;
  private details = '';
  private cancelled = false;

  constructor(
    private readonly method: GrpcMethod,
    private readonly connection: Connection<ClientHttp2Session> | undefined,
  ) {
    this.opened = new Promise((resolve, reject) => {
      this.open = resolve;
      this.fail = reject;
    });
    // Its failure is met by who reads.
    this.opened.catch(() => undefined);
    if (!connection) this.fail(unreached());
  }

  /** Begins the call, once the connection stands. */
  begin(headers: Readonly<Record<string, string>>): void {
    const { connection } = this;
    connection?.whenReady((refused) => {
      if (refused) this.fail(unreached());
      else if (!this.cancelled) this.follow(connection, connection.session.request(headers));
    });
  }

  write(request: object): void {
    const frame = encodeFrame(this.method.request, request);
    if (!this.stream) this.early.push(frame);
    else if (this.stream.writable) this.stream.write(frame);
  }

  cancel(): void {
    if (this.cancelled) return;
    this.cancelled = true;
    this.fail(this.failure());
    this.stream?.close(constants.NGHTTP2_CANCEL);
    // Whatever holds up a connection that does not come about: the next one need not wait for it.
    if (this.connection && !this.connection.isReady) this.connection.session.destroy();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<object> {
    const stream = await this.opened;
    const frames = new Frames();
    try {
      for await (const chunk of stream) {
        this.connection?.hear();
        for (const message of frames.take(chunk as Buffer))
          yield decode(this.method.response, message);
      }
    } catch (error) {
      if (error instanceof RangeError) throw error;
      // Whatever broke: the status tells, or that there is none.
    }
    if (this.status !== 0 || this.cancelled) throw this.failure();
  }

  private follow(connection: Connection<ClientHttp2Session>, stream: ClientHttp2Stream): void {
    const take = (headers: IncomingHttpHeaders): void => {
      const told = statusIn(headers);
      if (told) [this.status, this.details] = [told.code, told.details];
    };
    connection.begin();
    stream.on('response', (headers) => {
      connection.hear();
      take(headers);
      if (this.status === undefined && headers[':status'] !== constants.HTTP_STATUS_OK)
        [this.status, this.details] = [UNKNOWN, `HTTP status ${headers[':status']}`];
    });
    stream.on('trailers', take);
    stream.on('error', () => undefined);
    stream.once('close', () => {
      connection.end();
    });
    for (const frame of this.early) stream.write(frame);
    this.early = [];
    this.stream = stream;
    this.open(stream);
  }

  private failure(): Error {
    if (this.cancelled) return grpcError(CANCELLED, 'Cancelled on client');
    if (this.status === undefined) return grpcError(UNAVAILABLE, 'Connection dropped');
    return grpcError(this.status, this.details);
  }
}

const WINDOW_BYTES = 4 * 1024 * 1024;
/** What is under way is bounded by who asks. */
const SESSION_MEMORY_MB = 4096;

function openSession({ endpoint, tls }: ConnectionOptions): ClientHttp2Session {
  const session = connect(endpoint, {
    settings: { enablePush: false, initialWindowSize: WINDOW_BYTES },
    maxSessionMemory: SESSION_MEMORY_MB,
    ...tls,
  } as SecureClientSessionOptions);
  return session.once('remoteSettings', () => session.setLocalWindowSize(WINDOW_BYTES));
}

/**
 * gRPC streams over one HTTP/2 connection per member. Who does not read pauses its own stream alone.
 */
export class StreamCalls {
  private readonly connector: Connector<ClientHttp2Session>;

  constructor(options: ConnectionOptions) {
    this.connector = new Connector(options, openSession);
  }

  /** A stream that begins when the connection stands; reading throws when there is none. */
  open(method: GrpcMethod, fields: Readonly<Record<string, string>>): MessageStream {
    const call = new StreamCall(method, this.connector.connect());
    call.begin(this.connector.headers(method.path, fields));
    return call;
  }

  close(): void {
    this.connector.close();
  }
}
