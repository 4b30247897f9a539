import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type {
  LocalAnswer,
  LocalHead,
  LocalPeer,
  LocalRequest,
  LocalServer,
  LocalStream,
} from '@orrery/component';
import type { ApiRequest } from '../filters/api-request.js';
import { DirectReply } from '../transport/api-reply.js';
import type { ApiReply } from '../transport/api-reply.js';
import { isResourcePath } from '../transport/direct-requests.js';
import type { RequestSource } from '../transport/direct-requests.js';
import { RequestStarts } from '../transport/request-starts.js';
import { LocalMessage, LocalResponse } from './local-response.js';
import type { LocalSink } from './local-response.js';
import { LocalSocket } from './local-socket.js';

export interface LocalRequestsDeps {
  readonly attach: (source: RequestSource, reply: ApiReply) => ApiRequest;
  readonly resources: { serve(request: ApiRequest): Promise<void> };
  /** From here on requests go over the wire, which tells what is to be told. */
  readonly isDraining: () => boolean;
}

const METHODS = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']);
/** Of larger bodies it is asked first who sends them: they go over the wire. */
const MOST_BODY = 16 * 1024;

const CUT = 'the connection was cut';

const textOf = (body: string | undefined): Buffer | undefined =>
  body === undefined ? undefined : Buffer.from(body);

/** Gathers the whole answer. */
class WholeAnswer implements LocalSink {
  readonly answer: Promise<LocalAnswer>;
  private readonly chunks: Buffer[] = [];
  private top: LocalHead = { code: 0, headers: {} };
  private resolve: (answer: LocalAnswer) => void = () => undefined;
  private reject: (error: Error) => void = () => undefined;

  constructor() {
    this.answer = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  head(code: number, headers: LocalHead['headers']): void {
    this.top = { code, headers };
  }

  chunk(bytes: Buffer, done: () => void): void {
    this.chunks.push(bytes);
    done();
  }

  end(): void {
    const [first] = this.chunks;
    const body = this.chunks.length === 1 && first ? first : Buffer.concat(this.chunks);
    this.resolve({ ...this.top, body });
  }

  cut(): void {
    this.reject(new Error(CUT));
  }
}

/** Hands an answer on as it comes; more is asked for when what was handed on has been read. */
class GoingAnswer implements LocalSink {
  readonly answer: Promise<LocalStream>;
  private isWhole = false;
  private wantsMore: (() => void) | undefined;
  private resolve: (answer: LocalStream) => void = () => undefined;
  private reject: (error: Error) => void = () => undefined;
  private readonly body: Readable;

  constructor(end: () => void) {
    this.answer = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.body = new Readable({
      read: () => {
        const more = this.wantsMore;
        this.wantsMore = undefined;
        more?.();
      },
      destroy: (error, done) => {
        end();
        done(error);
      },
    });
  }

  head(code: number, headers: LocalHead['headers']): void {
    this.resolve({ code, headers, body: this.body, isWhole: () => this.isWhole });
  }

  chunk(bytes: Buffer, done: () => void): void {
    if (this.body.push(bytes)) done();
    else this.wantsMore = done;
  }

  end(): void {
    this.isWhole = true;
    this.body.push(null);
  }

  cut(): void {
    this.reject(new Error(CUT));
    this.body.destroy(new Error(CUT));
  }
}

/**
 * Requests of clients in the same process: the same chain from the identity of the client to its answer as for all others
 * ({@link LocalRequestsDeps.resources}), without connection, TLS and HTTP. What is no plain request for a resource goes over the wire.
 */
export class LocalRequests implements LocalServer {
  private readonly starts = new RequestStarts();
  private readonly sockets = new WeakMap<LocalPeer, LocalSocket>();
  private readonly underWay = new Set<LocalResponse>();
  private onIdle: () => void = () => undefined;
  private isEnding = false;
  /** Nothing of what the client is about follows into the server. */
  private readonly outside = AsyncLocalStorage.snapshot();

  constructor(private readonly deps: LocalRequestsDeps) {}

  takes({ method, path, body = '' }: Pick<LocalRequest, 'method' | 'path' | 'body'>): boolean {
    if (this.isEnding || this.deps.isDraining() || !METHODS.has(method)) return false;
    return body.length <= MOST_BODY && isResourcePath(path);
  }

  ask(request: LocalRequest): Promise<LocalAnswer> {
    const sink = new WholeAnswer();
    this.begin(request, sink);
    return sink.answer;
  }

  open(request: LocalRequest): Promise<LocalStream> {
    let response: LocalResponse | undefined;
    const sink = new GoingAnswer(() => response?.destroy());
    response = this.begin(request, sink);
    return sink.answer;
  }

  /** Takes nothing more, and resolves when all that was taken is answered. */
  async end(): Promise<void> {
    this.isEnding = true;
    if (this.underWay.size > 0)
      await new Promise<void>((resolve) => {
        this.onIdle = resolve;
      });
  }

  private begin(request: LocalRequest, sink: LocalSink): LocalResponse {
    const message = new LocalMessage(request, this.socketOf(request.peer));
    const response = new LocalResponse(message, sink);
    this.follow(response, request.signal);
    const raw = message as unknown as IncomingMessage;
    this.outside(() => {
      this.starts.begin(raw, () => {
        if (response.destroyed) return;
        const source = { raw, headers: raw.headers, body: textOf(request.body) };
        const reply = new DirectReply(response as unknown as ServerResponse<IncomingMessage>);
        void this.deps.resources.serve(this.deps.attach(source, reply));
      });
    });
    return response;
  }

  private follow(response: LocalResponse, signal: AbortSignal): void {
    const gone = (): void => {
      response.destroy();
    };
    this.underWay.add(response);
    signal.addEventListener('abort', gone, { once: true });
    response.once('close', () => {
      signal.removeEventListener('abort', gone);
      this.underWay.delete(response);
      if (this.underWay.size === 0) this.onIdle();
    });
    if (signal.aborted) gone();
  }

  private socketOf(peer: LocalPeer): LocalSocket {
    let socket = this.sockets.get(peer);
    if (!socket) this.sockets.set(peer, (socket = new LocalSocket(peer)));
    return socket;
  }
}
