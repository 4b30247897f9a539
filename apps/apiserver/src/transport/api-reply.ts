import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream';

type HeaderValue = string | number | string[] | undefined;

/** What handlers need of an answer: Fastify's reply has it, and {@link DirectReply}. */
export interface ApiReply {
  readonly raw: ServerResponse<IncomingMessage>;
  /** Somebody has begun to answer. */
  readonly sent: boolean;
  header(name: string, value: unknown): ApiReply;
  code(status: number): ApiReply;
  getHeaders(): Record<string, HeaderValue>;
  /** Whoever calls this writes to `raw` from here on. */
  hijack(): ApiReply;
  send(payload?: unknown): unknown;
}

const EMPTY_CODES = new Set([204, 304]);

/** An answer without the framework: headers that are gathered until somebody sends them. */
export class DirectReply implements ApiReply {
  sent = false;
  private status = 200;
  private readonly headers: Record<string, HeaderValue> = {};

  constructor(readonly raw: ServerResponse<IncomingMessage>) {}

  /** Names are in lower case everywhere. */
  header(name: string, value: unknown): this {
    this.headers[name] = value as HeaderValue;
    return this;
  }

  code(status: number): this {
    this.status = status;
    return this;
  }

  getHeaders(): Record<string, HeaderValue> {
    return this.headers;
  }

  hijack(): this {
    this.sent = true;
    return this;
  }

  /** Text, bytes, a stream or nothing. */
  send(payload?: string | Buffer | Readable): this {
    this.sent = true;
    const { raw, status, headers } = this;
    if (payload === undefined || typeof payload === 'string' || Buffer.isBuffer(payload)) {
      const body = typeof payload === 'string' ? Buffer.from(payload) : payload;
      if (!EMPTY_CODES.has(status)) headers['content-length'] = body?.length ?? 0;
      raw.writeHead(status, headers as OutgoingHttpHeaders);
      raw.end(body);
    } else {
      raw.writeHead(status, headers as OutgoingHttpHeaders);
      pipeline(payload, raw, () => undefined);
    }
    return this;
  }
}
