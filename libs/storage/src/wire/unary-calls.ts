import { constants } from 'node:http2';
import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
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

const deadlineExceeded = (ms: number): Error =>
  grpcError(DEADLINE_EXCEEDED, `Deadline exceeded after ${ms / 1000}s`);

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
    const told = statusIn(headers);
    if (!told) return;
    this.status = told.code;
    this.details = told.details;
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

/**
 * Unary gRPC calls over one HTTP/2 connection per member, made when it is needed and again when it broke; nothing is repeated.
 * grpc-js does much that is not needed here (load balancing, retries, interceptors), which costs more than the call.
 */
export class UnaryCalls {
  private readonly connector: Connector;

  constructor(private readonly options: ConnectionOptions) {
    this.connector = new Connector(options);
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
    connection: Connection,
    { method, frame, fields, timeoutMs }: Sending,
    resolve: (answer: Buffer) => void,
    reject: (error: Error) => void,
  ): void {
    const limit = { 'grpc-timeout': `${Math.max(1, Math.ceil(timeoutMs))}m` };
    const headers = this.connector.headers(method.path, { ...limit, ...fields });
    const stream = connection.session.request(headers);
    connection.begin();
    const call = new Call(connection, stream, resolve, reject);
    call.limit(this.options.clock, timeoutMs);
    stream.end(frame);
  }
}
