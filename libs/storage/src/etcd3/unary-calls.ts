import { connect, constants } from 'node:http2';
import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  IncomingHttpHeaders,
  SecureClientSessionOptions,
} from 'node:http2';
import type { Cancel, Clock } from '@orrery/component';
import { FRAME_HEAD, decode, encodeFrame } from './kv-messages.js';
import type { Message } from './kv-messages.js';

export interface UnaryOptions {
  readonly endpoint: string;
  readonly tls?: { readonly ca: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
  readonly keepaliveMs: number;
  readonly clock: Clock;
}

export interface UnaryMethod {
  readonly path: string;
  readonly request: Message;
  readonly response: Message;
}

export interface CallLimits {
  readonly timeoutMs: number;
  /** Further metadata. */
  readonly fields: Readonly<Record<string, string>>;
}

interface Sending extends CallLimits {
  readonly method: UnaryMethod;
  readonly frame: Buffer;
}

const CODES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];
const [UNKNOWN, DEADLINE_EXCEEDED, UNAVAILABLE] = [2, 4, 14];

/** An error in the words of grpc-js, by which its meaning is told. */
const grpcError = (code: number, details: string): Error =>
  new Error(`${code} ${CODES[code] ?? 'UNKNOWN'}: ${details}`);

const deadlineExceeded = (ms: number): Error =>
  grpcError(DEADLINE_EXCEEDED, `Deadline exceeded after ${ms / 1000}s`);
const unreached = (): Error => grpcError(UNAVAILABLE, 'No connection established');

/** How long after a refused connection calls fail without another attempt. */
const BACKOFF_MS = 50;
const WINDOW_BYTES = 4 * 1024 * 1024;
/** What is under way is bounded by who asks. */
const SESSION_MEMORY_MB = 4096;

/** One connection: what is under way on it, and whether it lives. */
class Connection {
  readonly session: ClientHttp2Session;
  /** The server has spoken: from here on, what is sent may be done. Nothing is sent before. */
  private ready = false;
  private waiting: ((refused: boolean) => void)[] = [];
  private pending = 0;
  /** Something came since the last look. */
  private heard = false;
  private cancelProbe: Cancel | undefined;
  private readonly clock: Clock;
  private readonly keepaliveMs: number;

  constructor({ endpoint, tls, clock, keepaliveMs }: UnaryOptions, onRefused: () => void) {
    this.clock = clock;
    this.keepaliveMs = keepaliveMs;
    const session = connect(endpoint, {
      settings: { enablePush: false, initialWindowSize: WINDOW_BYTES },
      maxSessionMemory: SESSION_MEMORY_MB,
      ...tls,
    } as SecureClientSessionOptions);
    this.session = session;
    const end = (): void => {
      session.destroy();
      if (!this.ready) onRefused();
      this.letGo(true);
    };
    // A server that refuses a certificate does so behind the handshake: only the socket tells then.
    session.socket.once('error', end);
    session.once('remoteSettings', () => {
      this.ready = true;
      session.setLocalWindowSize(WINDOW_BYTES);
      this.letGo(false);
    });
    session.on('error', () => undefined);
    session.once('close', end);
  }

  /** Calls back when requests may be sent, or when it turned out that they cannot be. */
  whenReady(callback: (refused: boolean) => void): void {
    if (this.ready) callback(!this.usable);
    else this.waiting.push(callback);
  }

  get isReady(): boolean {
    return this.ready;
  }

  get usable(): boolean {
    return !this.session.closed && !this.session.destroyed;
  }

  begin(): void {
    if (this.pending++ === 0) {
      this.session.ref();
      this.probe();
    }
  }

  end(): void {
    if (--this.pending > 0) return;
    this.session.unref();
    this.cancelProbe?.();
    this.cancelProbe = undefined;
  }

  hear(): void {
    this.heard = true;
  }

  private letGo(refused: boolean): void {
    const { waiting } = this;
    this.waiting = [];
    for (const callback of waiting) callback(refused);
  }

  /** Ends a connection on which calls wait and nothing comes, not even the answer to a ping. */
  private probe(): void {
    this.heard = false;
    this.cancelProbe = this.clock.after(
      this.keepaliveMs,
      () => {
        if (this.heard) this.probe();
        else this.ping();
      },
      { unref: true },
    );
  }

  private ping(): void {
    const { session } = this;
    if (!this.usable) return;
    this.cancelProbe = this.clock.after(this.keepaliveMs / 2, () => session.destroy(), {
      unref: true,
    });
    session.ping((error) => {
      if (error || this.pending === 0) return;
      this.cancelProbe?.();
      this.probe();
    });
  }
}

/** One call until its answer. */
class Call {
  private readonly chunks: Buffer[] = [];
  private status: number | undefined;
  private details = '';
  private done = false;
  private cancelDeadline: Cancel | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly stream: ClientHttp2Stream,
    private readonly resolve: (answer: Buffer) => void,
    private readonly reject: (error: Error) => void,
  ) {
    stream.on('response', (headers) => {
      connection.hear();
      this.take(headers);
      if (this.status === undefined && headers[':status'] !== constants.HTTP_STATUS_OK) {
        this.status = UNKNOWN;
        this.details = `HTTP status ${headers[':status']}`;
      }
    });
    stream.on('data', (chunk: Buffer) => this.chunks.push(chunk));
    stream.on('trailers', (headers) => this.take(headers));
    stream.on('end', () => {
      if (this.status !== undefined) this.finish();
    });
    stream.on('error', () => undefined);
    stream.on('close', () => this.finish());
  }

  limit(clock: Clock, ms: number): void {
    this.cancelDeadline = clock.after(Math.max(0, ms), () => {
      this.status = DEADLINE_EXCEEDED;
      this.details = `Deadline exceeded after ${ms / 1000}s`;
      this.stream.close(constants.NGHTTP2_CANCEL);
      this.finish();
    });
  }

  private take(headers: IncomingHttpHeaders): void {
    const status = headers['grpc-status'];
    if (typeof status !== 'string') return;
    this.status = Number(status);
    const text = headers['grpc-message'];
    this.details = typeof text === 'string' ? decodeMessage(text) : '';
  }

  private finish(): void {
    if (this.done) return;
    this.done = true;
    this.cancelDeadline?.();
    this.connection.end();
    if (this.status !== 0) this.reject(this.failure());
    else
      this.resolve(
        this.chunks.length === 1 && this.chunks[0] ? this.chunks[0] : Buffer.concat(this.chunks),
      );
  }

  private failure(): Error {
    if (this.status !== undefined) return grpcError(this.status, this.details);
    // What the server refused to begin has had no effect.
    if (this.stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) return unreached();
    return grpcError(UNAVAILABLE, 'Connection dropped');
  }
}

function decodeMessage(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * Unary gRPC calls over one HTTP/2 connection per member, made when it is needed and again when it broke; nothing is repeated.
 * grpc-js does much that is not needed here (load balancing, retries, interceptors), which costs more than the call.
 */
export class UnaryCalls {
  private connection: Connection | undefined;
  private refusedAt = -Infinity;
  private closed = false;
  private readonly authority: string;

  constructor(private readonly options: UnaryOptions) {
    this.authority = new URL(options.endpoint).host;
  }

  async call(
    method: UnaryMethod,
    request: object,
    { timeoutMs, fields }: CallLimits,
  ): Promise<object> {
    const frame = encodeFrame(method.request, request);
    const answer = await new Promise<Buffer>((resolve, reject) => {
      const connection = this.connect();
      if (!connection) {
        reject(unreached());
        return;
      }
      const { clock } = this.options;
      const began = clock.monotonic();
      let cancelWait: Cancel | undefined;
      connection.whenReady((refused) => {
        cancelWait?.();
        const left = timeoutMs - (clock.monotonic() - began);
        if (refused) reject(unreached());
        else if (left <= 0) reject(deadlineExceeded(timeoutMs));
        else this.send(connection, { method, frame, fields, timeoutMs: left }, resolve, reject);
      });
      if (!connection.isReady)
        cancelWait = clock.after(timeoutMs, () => {
          reject(deadlineExceeded(timeoutMs));
          connection.session.destroy();
        });
    });
    try {
      return decode(method.response, answer.subarray(FRAME_HEAD));
    } catch (cause) {
      throw new Error(`${UNKNOWN} UNKNOWN: the answer cannot be read`, { cause });
    }
  }

  close(): void {
    this.closed = true;
    this.connection?.session.destroy();
  }

  private send(
    connection: Connection,
    { method, frame, fields, timeoutMs }: Sending,
    resolve: (answer: Buffer) => void,
    reject: (error: Error) => void,
  ): void {
    const stream = connection.session.request({
      ':method': 'POST',
      ':path': method.path,
      ':authority': this.authority,
      te: 'trailers',
      'content-type': 'application/grpc',
      'grpc-timeout': `${Math.max(1, Math.ceil(timeoutMs))}m`,
      ...fields,
    });
    connection.begin();
    const call = new Call(connection, stream, resolve, reject);
    call.limit(this.options.clock, timeoutMs);
    stream.end(frame);
  }

  private connect(): Connection | undefined {
    if (this.closed) return undefined;
    if (this.connection?.usable) return this.connection;
    const { clock } = this.options;
    if (clock.monotonic() - this.refusedAt < BACKOFF_MS) return undefined;
    this.connection = new Connection(this.options, () => {
      this.refusedAt = clock.monotonic();
    });
    return this.connection;
  }
}
