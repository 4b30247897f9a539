import type { OutgoingHttpHeaders } from 'node:http';
import { Writable } from 'node:stream';
import type { LocalRequest } from '@orrery/component';
import type { LocalSocket } from './local-socket.js';

type HeaderValue = number | string | string[] | undefined;

/** A request of the same process, as handlers read it: as one of HTTP/2, which is one of many on its connection. */
export class LocalMessage {
  readonly httpVersion = '2.0';
  readonly httpVersionMajor = 2;
  readonly httpVersionMinor = 0;
  /** All of it is there. */
  readonly complete = true;
  readonly method: string;
  readonly url: string;
  readonly headers: LocalRequest['headers'];

  constructor(
    request: LocalRequest,
    readonly socket: LocalSocket,
  ) {
    this.method = request.method;
    this.url = request.path;
    this.headers = request.headers;
  }

  get rawHeaders(): string[] {
    return Object.entries(this.headers).flat();
  }
}

/** Where an answer goes. */
export interface LocalSink {
  head(code: number, headers: Readonly<Record<string, string | string[] | undefined>>): void;
  /** Calls back when it wants more. */
  chunk(bytes: Buffer, done: () => void): void;
  end(): void;
  /** The answer ends before it is whole. */
  cut(): void;
}

const textsOf = (headers: Readonly<Record<string, HeaderValue>>) =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      typeof value === 'number' ? String(value) : value,
    ]),
  );

/** An answer to a request of the same process: what handlers use of a ServerResponse. */
export class LocalResponse extends Writable {
  statusCode = 200;
  headersSent = false;
  private readonly named: Record<string, HeaderValue> = {};

  constructor(
    readonly req: LocalMessage,
    private readonly sink: LocalSink,
  ) {
    super();
  }

  setHeader(name: string, value: HeaderValue): this {
    this.named[name.toLowerCase()] = value;
    return this;
  }

  getHeader(name: string): HeaderValue {
    return this.named[name.toLowerCase()];
  }

  getHeaders(): Record<string, HeaderValue> {
    return { ...this.named };
  }

  hasHeader(name: string): boolean {
    return this.getHeader(name) !== undefined;
  }

  removeHeader(name: string): void {
    this.named[name.toLowerCase()] = undefined;
  }

  writeHead(code: number, ...rest: (string | OutgoingHttpHeaders | undefined)[]): this {
    const given = rest.find((one) => typeof one === 'object');
    for (const [name, value] of Object.entries(given ?? {}))
      this.setHeader(name, value as HeaderValue);
    this.statusCode = code;
    this.headersSent = true;
    this.sink.head(code, textsOf(this.named));
    return this;
  }

  flushHeaders(): void {
    if (!this.headersSent) this.writeHead(this.statusCode);
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.flushHeaders();
    this.sink.chunk(chunk, done);
  }

  override _final(done: () => void): void {
    this.flushHeaders();
    this.sink.end();
    done();
  }

  override _destroy(_error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.writableFinished) this.sink.cut();
    // Nobody listens: whoever asked is told by the sink.
    done();
  }
}
