import type { Cancel, Clock } from '@orrery/component';
import {
  Connector,
  DEADLINE_EXCEEDED,
  UNAVAILABLE,
  UNKNOWN,
  grpcError,
  statusIn,
  unreached,
} from './connection.js';
import type { Connection, ConnectionOptions, GrpcMethod } from './connection.js';
import { CallSession } from './http2/call-session.js';
import type { CallListener, OpenCall } from './http2/call-session.js';
import { encodeFields } from './http2/header-block.js';
import { FRAME_HEAD, decode, encodeFrame } from './protobuf.js';

export interface CallLimits {
  readonly timeoutMs: number;
  /** Further metadata. */
  readonly fields: Readonly<Record<string, string>>;
}

interface Sending extends CallLimits {
  readonly method: GrpcMethod;
  readonly frame: Buffer;
}

const DROPPED = 'Connection dropped';

const deadlineExceeded = (ms: number): Error =>
  grpcError(DEADLINE_EXCEEDED, `Deadline exceeded after ${ms / 1000}s`);

const OK = '200';

/** One call until its answer. */
class Call implements CallListener {
  private readonly chunks: Buffer[] = [];
  private status: number | undefined;
  private details = '';
  private done = false;
  private cancelDeadline: Cancel | undefined;

  constructor(
    private readonly connection: Connection<CallSession>,
    private readonly resolve: (answer: Buffer) => void,
    private readonly reject: (error: Error) => void,
  ) {}

  limit(clock: Clock, ms: number, open: OpenCall): void {
    this.cancelDeadline = clock.after(Math.max(0, ms), () => {
      this.connection.session.cancel(open);
      this.finish(deadlineExceeded(ms));
    });
  }

  fields(fields: Readonly<Record<string, string>>): void {
    this.connection.hear();
    const told = statusIn(fields);
    const code = fields[':status'];
    if (told) [this.status, this.details] = [told.code, told.details];
    else if (this.status === undefined && code !== undefined && code !== OK)
      [this.status, this.details] = [UNKNOWN, `HTTP status ${code}`];
  }

  data(chunk: Buffer): void {
    this.chunks.push(chunk);
  }

  ended(): void {
    const { status = UNAVAILABLE, details, chunks } = this;
    const isTold = this.status !== undefined;
    if (status !== 0) this.finish(grpcError(status, isTold ? details : DROPPED));
    else {
      this.finish();
      this.resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks));
    }
  }

  /** What the server refused to begin has had no effect. */
  broken(refused: boolean): void {
    if (this.status !== undefined) this.ended();
    else this.finish(refused ? unreached() : grpcError(UNAVAILABLE, DROPPED));
  }

  private finish(error?: Error): void {
    if (this.done) return;
    this.done = true;
    this.cancelDeadline?.();
    this.connection.end();
    if (error) this.reject(error);
  }
}

/**
 * Unary gRPC calls over one HTTP/2 connection per member, made when it is needed and again when it broke; nothing is repeated.
 * grpc-js does much that is not needed here (load balancing, retries, interceptors), and node:http2 much of streams, which costs more than the call.
 */
export class UnaryCalls {
  private readonly connector: Connector<CallSession>;
  private readonly blocks = new Map<string, Buffer>();

  constructor(private readonly options: ConnectionOptions) {
    this.connector = new Connector(options, (target) => new CallSession(target));
  }

  async call(
    method: GrpcMethod,
    request: object,
    { timeoutMs, fields }: CallLimits,
  ): Promise<object> {
    const frame = encodeFrame(method.request, request);
    const answer = await new Promise<Buffer>((resolve, reject) => {
      const connection = this.connector.connect();
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
    this.connector.close();
  }

  private send(
    connection: Connection<CallSession>,
    { method, frame, fields, timeoutMs }: Sending,
    resolve: (answer: Buffer) => void,
    reject: (error: Error) => void,
  ): void {
    const limit = { 'grpc-timeout': `${Math.max(1, Math.ceil(timeoutMs))}m` };
    const block = Buffer.concat([this.blockOf(method.path), encodeFields({ ...limit, ...fields })]);
    connection.begin();
    const call = new Call(connection, resolve, reject);
    const open = connection.session.request(block, frame, call);
    call.limit(this.options.clock, timeoutMs, open);
  }

  /** The headers that all calls of a method have. */
  private blockOf(path: string): Buffer {
    const known = this.blocks.get(path);
    if (known) return known;
    const scheme = new URL(this.options.endpoint).protocol.slice(0, -1);
    const block = encodeFields({ ':scheme': scheme, ...this.connector.headers(path, {}) });
    this.blocks.set(path, block);
    return block;
  }
}
