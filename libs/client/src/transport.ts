import * as http from 'node:http';
import * as https from 'node:https';
import type { Readable } from 'node:stream';
import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { FENCE_HEADER, REACTION_HEADER, formatFence, formatReaction } from '@orrery/apimachinery';
import type { Fence } from '@orrery/apimachinery';
import type { Clock, LocalServer, LocalServers } from '@orrery/component';
import { ConfigError, holding } from '@orrery/component';
import { ConnectionError } from './connection-error.js';
import { Http2Streams } from './http2-streams.js';
import type { StreamRequest, StreamedAnswer } from './http2-streams.js';
import { LocalWire } from './local-wire.js';
import type { LocalSending } from './local-wire.js';
import type { RateLimit } from './rate-limit.js';
import { currentReaction } from './reacting-to.js';
import type { RequestObserver } from './rest-client-metrics.js';
import type { TokenSource } from './token-source.js';

export interface TlsOptions {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly serverName?: string | undefined;
  readonly insecureSkipTlsVerify?: boolean | undefined;
}

export interface TransportOptions {
  readonly server: string;
  readonly tls: TlsOptions;
  readonly tokens: TokenSource;
  readonly userAgent: string;
  readonly requestTimeoutMs: number;
  readonly clock: Clock;
  /** The Lease under which writes are made at the moment. */
  readonly fence?: (() => Fence | undefined) | undefined;
  readonly limit?: RateLimit | undefined;
  readonly observer?: RequestObserver | undefined;
  /** Servers of this process, which are asked without connections. */
  readonly local?: LocalServers | undefined;
}

export interface HttpRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly body?: string | undefined;
  readonly contentType?: string | undefined;
  /** Media types to ask for; default JSON. */
  readonly accept?: string | undefined;
  /** Of an answer before: 304 when it would be the same. */
  readonly etag?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Silence after which the request fails; default the transport's. */
  readonly timeoutMs?: number | undefined;
  /** Stays open, and so takes no place among the connections for requests. */
  readonly streams?: boolean | undefined;
}

export interface HttpAnswer {
  readonly code: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

const MAX_TRIES = 6;
/** More requests at a time wait their turn: each connection costs a handshake, and memory on both sides. */
const MAX_CONNECTIONS = 48;
const MAX_RETRY_AFTER_SECONDS = 30;

function secureContextOf({ ca, cert, key }: TlsOptions): SecureContext {
  try {
    return createSecureContext({ ca, cert, key });
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(`the client's certificates cannot be used: ${text}`, { cause });
  }
}

const secureOptionsOf = (tls: TlsOptions): https.AgentOptions => ({
  secureContext: secureContextOf(tls),
  rejectUnauthorized: tls.insecureSkipTlsVerify !== true,
  ...(tls.serverName ? { servername: tls.serverName } : {}),
});

/** Requests to one server over kept connections. */
export class Transport {
  readonly server: string;
  readonly #url: URL;
  readonly #agent: http.Agent;
  readonly #streams: http.Agent;
  readonly #http2: Http2Streams | undefined;
  readonly #request: typeof https.request;
  readonly #local: LocalWire | undefined;

  constructor(private readonly options: TransportOptions) {
    this.server = options.server.replace(/\/+$/, '');
    this.#url = new URL(this.server);
    const secure = this.#url.protocol === 'https:';
    const pool = { keepAlive: true, keepAliveMsecs: 15_000, scheduling: 'lifo' as const };
    const tls = secure ? secureOptionsOf(options.tls) : undefined;
    const agent = (maxSockets: number): http.Agent =>
      tls
        ? new https.Agent({ ...pool, ...tls, maxSockets })
        : new http.Agent({ ...pool, maxSockets });
    this.#agent = agent(MAX_CONNECTIONS);
    this.#streams = agent(Infinity);
    this.#http2 = tls && new Http2Streams(this.#url, tls);
    this.#request = secure ? https.request : http.request;
    const { local: servers, clock } = options;
    const { cert, key } = options.tls;
    const wire = { url: this.#url, cert, key, clock, most: MAX_CONNECTIONS };
    // Below a path of its own there is another cluster, which has no door of that sort.
    const isWhole = this.#url.pathname === '/';
    this.#local = servers && isWhole ? new LocalWire({ ...wire, servers }) : undefined;
  }

  /** Sends and reads the whole answer, whatever its code. GETs are repeated where that is right. */
  async send(request: HttpRequest): Promise<HttpAnswer> {
    const { tokens, clock } = this.options;
    for (let tries = 1; ; tries++) {
      if (tokens.ready) await tokens.ready(request.signal);
      await this.#waitForTurn(request);
      const startedMs = clock.monotonic();
      const answer = await holding(clock, () => this.#sendOnce(request)).catch((error: unknown) => {
        this.#tell(request, undefined, startedMs);
        throw error;
      });
      const waitSeconds = retryAfter(request, answer);
      if (answer.code === 401) this.options.tokens.expire();
      const isRepeated = waitSeconds !== undefined && tries < MAX_TRIES;
      this.#tell(request, answer, startedMs, isRepeated);
      if (!isRepeated) return answer;
      await clock.sleep(waitSeconds * 1000, request.signal);
    }
  }

  /** Sends and gives the answer's stream once its head has arrived. */
  open(request: HttpRequest): Promise<http.IncomingMessage> {
    return new Promise((resolve, reject) => {
      const { signal } = request;
      if (signal?.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const sent = this.#request(this.#optionsOf(request), resolve);
      const timeoutMs = request.timeoutMs ?? this.options.requestTimeoutMs;
      sent.setTimeout(timeoutMs, () => {
        sent.destroy(new Error(`no answer within ${timeoutMs} ms`));
      });
      sent.once('error', (error) => {
        const stale = sent.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET';
        // The server closed a kept connection while we wrote on it: a read is simply asked again.
        if (stale && request.method === 'GET' && !signal?.aborted) resolve(this.open(request));
        else reject(signal?.aborted ? (signal.reason as Error) : this.failure(error));
      });
      sent.end(request.body);
    });
  }

  /** A GET whose answer goes on: over HTTP/2 where the server speaks it. */
  async stream(
    request: Pick<HttpRequest, 'path' | 'signal' | 'timeoutMs'>,
  ): Promise<StreamedAnswer> {
    if (this.options.tokens.ready) await this.options.tokens.ready(request.signal);
    try {
      const answer = await this.#openStream(request);
      this.#tellOpened(answer.code);
      return answer;
    } catch (error) {
      this.#tellOpened(undefined);
      throw error;
    }
  }

  async #openStream(
    request: Pick<HttpRequest, 'path' | 'signal' | 'timeoutMs'>,
  ): Promise<StreamedAnswer> {
    const { signal, timeoutMs = this.options.requestTimeoutMs } = request;
    const { path, headers } = this.#optionsOf({ method: 'GET', ...request });
    const local = this.#local?.serverFor({ method: 'GET', path });
    try {
      if (local && this.#local)
        return await this.#local.open(local, this.#localOf({ method: 'GET', ...request }));
      const answer = await this.#http2?.open({ path, headers, signal, timeoutMs });
      if (answer) return answer;
    } catch (error) {
      throw signal?.aborted ? signal.reason : this.failure(error);
    }
    const message = await this.open({ method: 'GET', streams: true, ...request });
    return { code: message.statusCode ?? 0, body: message, isWhole: () => message.complete };
  }

  async #waitForTurn({ method, signal }: HttpRequest): Promise<void> {
    const { limit, observer, clock } = this.options;
    if (!limit) return;
    const startedMs = clock.monotonic();
    await limit.take(signal);
    observer?.waited(method, this.#url.host, (clock.monotonic() - startedMs) / 1000);
  }

  #tell(
    { method, body }: HttpRequest,
    answer: HttpAnswer | undefined,
    startedMs: number,
    isRepeated = false,
  ): void {
    const { observer, clock } = this.options;
    observer?.sent({
      method,
      host: this.#url.host,
      code: answer?.code,
      seconds: (clock.monotonic() - startedMs) / 1000,
      sentBytes: body === undefined ? 0 : Buffer.byteLength(body),
      receivedBytes: answer && Buffer.byteLength(answer.body),
      isRepeated,
    });
  }

  #tellOpened(code: number | undefined): void {
    this.options.observer?.sent({
      method: 'GET',
      host: this.#url.host,
      code,
      seconds: undefined,
      sentBytes: 0,
      receivedBytes: undefined,
      isRepeated: false,
    });
  }

  failure(cause: unknown): ConnectionError {
    return new ConnectionError(this.server, cause);
  }

  close(): void {
    this.#agent.destroy();
    this.#streams.destroy();
    this.#http2?.close();
  }

  async #sendOnce(request: HttpRequest): Promise<HttpAnswer> {
    const local = this.#local?.serverFor(request);
    if (local && this.#local) return this.#sendLocally(this.#local, local, request);
    const message = await this.open(request);
    return {
      code: message.statusCode ?? 0,
      headers: message.headers,
      body: await this.readAll(message, request.signal),
    };
  }

  async #sendLocally(
    wire: LocalWire,
    server: LocalServer,
    request: HttpRequest,
  ): Promise<HttpAnswer> {
    try {
      return await wire.send(server, this.#localOf(request));
    } catch (error) {
      const { signal } = request;
      throw signal?.aborted ? signal.reason : this.failure(error);
    }
  }

  #localOf(request: HttpRequest): LocalSending {
    const { path, headers } = this.#optionsOf(request);
    const { method, body, signal, timeoutMs = this.options.requestTimeoutMs } = request;
    const texts = Object.entries(headers).map(([name, value]) => [name, String(value)] as const);
    return { method, path, headers: Object.fromEntries(texts), body, signal, timeoutMs };
  }

  /** The rest of an answer as text. */
  readAll(message: Readable, signal?: AbortSignal): Promise<string> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      message.on('data', (chunk: Buffer) => chunks.push(chunk));
      message.once('end', () => {
        const [only] = chunks;
        resolve((chunks.length === 1 && only ? only : Buffer.concat(chunks)).toString('utf8'));
      });
      message.once('error', (error) => {
        reject(signal?.aborted ? (signal.reason as Error) : this.failure(error));
      });
    });
  }

  #optionsOf(request: HttpRequest): https.RequestOptions & Pick<StreamRequest, 'path' | 'headers'> {
    const token = this.options.tokens.token();
    const base = this.#url.pathname === '/' ? '' : this.#url.pathname;
    return {
      agent: request.streams ? this.#streams : this.#agent,
      // A URL has brackets around an address of IPv6.
      host: this.#url.hostname.replaceAll(/[[\]]/g, ''),
      port: this.#url.port,
      method: request.method,
      path: base + request.path,
      ...(request.signal ? { signal: request.signal } : {}),
      headers: {
        accept: request.accept ?? 'application/json',
        ...(request.etag === undefined ? {} : { 'if-none-match': request.etag }),
        'user-agent': this.options.userAgent,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...reactionHeader(request),
        ...fenceHeader(request, this.options.fence?.()),
        ...(request.body === undefined
          ? {}
          : {
              'content-type': request.contentType ?? 'application/json',
              'content-length': Buffer.byteLength(request.body),
            }),
      },
    };
  }
}

function fenceHeader({ method }: HttpRequest, fence?: Fence): Readonly<Record<string, string>> {
  return method === 'GET' || !fence ? {} : { [FENCE_HEADER]: formatFence(fence) };
}

function reactionHeader({ method }: HttpRequest): Readonly<Record<string, string>> {
  const reaction = method === 'GET' ? undefined : currentReaction();
  const value = reaction && formatReaction(reaction);
  return value === undefined ? {} : { [REACTION_HEADER]: value };
}

/** Seconds to wait before a GET is asked again; undefined = take the answer as it is. */
function retryAfter({ method }: HttpRequest, { code, headers }: HttpAnswer): number | undefined {
  if (method !== 'GET' || (code !== 429 && code !== 503)) return undefined;
  const seconds = Number(headers['retry-after'] ?? Number.NaN);
  return Number.isFinite(seconds) && seconds <= MAX_RETRY_AFTER_SECONDS ? seconds : undefined;
}
