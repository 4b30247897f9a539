import type { IncomingHttpHeaders } from 'node:http2';
import type { Cancel, Clock } from '@orrery/component';
import type { Message } from './protobuf.js';

/** A method of gRPC. */
export interface GrpcMethod {
  readonly path: string;
  readonly request: Message;
  readonly response: Message;
}

export interface ConnectionOptions {
  readonly endpoint: string;
  readonly tls?: { readonly ca: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
  readonly keepaliveMs: number;
  readonly clock: Clock;
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
/** Of gRPC's codes those that are given here. */
export const [CANCELLED, UNKNOWN, DEADLINE_EXCEEDED, UNAVAILABLE] = [1, 2, 4, 14] as const;

/** An error in the words of grpc-js, by which its meaning is told. */
export const grpcError = (code: number, details: string): Error =>
  new Error(`${code} ${CODES[code] ?? 'UNKNOWN'}: ${details}`);

export const unreached = (): Error => grpcError(UNAVAILABLE, 'No connection established');

/** How long after a refused connection calls fail without another attempt. */
const BACKOFF_MS = 50;

/** What a connection needs of the session that it is made of. */
export interface Session {
  readonly socket: { once(event: 'error', listener: () => void): unknown };
  readonly closed: boolean;
  readonly destroyed: boolean;
  once(event: 'remoteSettings' | 'close', listener: () => void): unknown;
  on(event: 'error', listener: () => void): unknown;
  ping(callback: (error: Error | null) => void): unknown;
  ref(): void;
  unref(): void;
  destroy(): void;
}

/** One connection: what is under way on it, and whether it lives. */
export class Connection<S extends Session> {
  /** The server has spoken: from here on, what is sent may be done. Nothing is sent before. */
  private ready = false;
  private waiting: ((refused: boolean) => void)[] = [];
  private pending = 0;
  /** Something came since the last look. */
  private heard = false;
  private cancelProbe: Cancel | undefined;
  private readonly clock: Clock;
  private readonly keepaliveMs: number;

  constructor(
    readonly session: S,
    { clock, keepaliveMs }: ConnectionOptions,
    onRefused: () => void,
  ) {
    this.clock = clock;
    this.keepaliveMs = keepaliveMs;
    const end = (): void => {
      session.destroy();
      if (!this.ready) onRefused();
      this.letGo(true);
    };
    // A server that refuses a certificate does so behind the handshake: only the socket tells then.
    session.socket.once('error', end);
    session.once('remoteSettings', () => {
      this.ready = true;
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

/** The connection to one member, made when it is needed and again when it broke. */
export class Connector<S extends Session> {
  private readonly authority: string;
  private connection: Connection<S> | undefined;
  private refusedAt = -Infinity;
  private closed = false;

  constructor(
    private readonly options: ConnectionOptions,
    private readonly open: (options: ConnectionOptions) => S,
  ) {
    this.authority = new URL(options.endpoint).host;
  }

  /** None when it was refused just now. */
  connect(): Connection<S> | undefined {
    if (this.closed) return undefined;
    if (this.connection?.usable) return this.connection;
    const { clock } = this.options;
    if (clock.monotonic() - this.refusedAt < BACKOFF_MS) return undefined;
    this.connection = new Connection(this.open(this.options), this.options, () => {
      this.refusedAt = clock.monotonic();
    });
    return this.connection;
  }

  /** What every call begins with. */
  headers(path: string, fields: Readonly<Record<string, string>>): Record<string, string> {
    return {
      ':method': 'POST',
      ':path': path,
      ':authority': this.authority,
      te: 'trailers',
      'content-type': 'application/grpc',
      ...fields,
    };
  }

  close(): void {
    this.closed = true;
    this.connection?.session.destroy();
  }
}

/** How a call ended, as its headers or trailers say it; undefined = they do not. */
export function statusIn(
  headers: IncomingHttpHeaders,
): { readonly code: number; readonly details: string } | undefined {
  const code = headers['grpc-status'];
  if (typeof code !== 'string') return undefined;
  const text = headers['grpc-message'];
  return { code: Number(code), details: typeof text === 'string' ? decodeMessage(text) : '' };
}

function decodeMessage(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
