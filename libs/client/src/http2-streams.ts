import { connect as connectSession } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream, OutgoingHttpHeaders } from 'node:http2';
import { isIP } from 'node:net';
import type { Readable } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';

/** What a stream is asked with. */
export interface StreamRequest {
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  readonly signal?: AbortSignal | undefined;
  /** Silence after which the stream fails. */
  readonly timeoutMs: number;
}

/** Both as upstream's servers have them, until the server says what it allows. */
const DEFAULT_STREAMS = 100;
const STREAM_BYTES = 256 * 1024;
const CONNECT_MS = 30_000;
const KEEP_ALIVE_MS = 15_000;
/** A watch that begins with a long list may hold as much before it is read. */
const SESSION_MEMORY_MB = 64;

const CLOSED = 'the connection was closed';

/** One connection, or the attempt to make it. */
class Session {
  readonly ready: Promise<ClientHttp2Session | undefined>;
  private session: ClientHttp2Session | undefined;
  private open = 0;
  private most = DEFAULT_STREAMS;
  private hasEnded = false;

  constructor(url: URL, tls: ConnectionOptions) {
    this.ready = this.connect(url, tls);
    this.ready.then(
      (session) => {
        if (!session) this.hasEnded = true;
      },
      () => {
        this.hasEnded = true;
      },
    );
  }

  get isOpen(): boolean {
    return this.session !== undefined;
  }

  /** No new stream may begin on it. */
  get isClosing(): boolean {
    return this.hasEnded || this.session?.closed === true || this.session?.destroyed === true;
  }

  get hasRoom(): boolean {
    return !this.isClosing && this.open < this.most;
  }

  get isOver(): boolean {
    return this.isClosing && this.open === 0;
  }

  /** A process lives on for a stream, not for a connection. */
  begin(): void {
    this.open += 1;
    this.session?.ref();
  }

  end(): void {
    this.open -= 1;
    if (this.open === 0) this.session?.unref();
  }

  destroy(): void {
    this.hasEnded = true;
    const end = (session: ClientHttp2Session | undefined): void => session?.destroy();
    this.ready.then(end, () => undefined);
  }

  /** Undefined when the server speaks HTTP/1.1 alone. */
  private async connect(url: URL, tls: ConnectionOptions): Promise<ClientHttp2Session | undefined> {
    const socket = await handshake(url, tls);
    if (socket.alpnProtocol !== 'h2') {
      socket.destroy();
      return undefined;
    }
    const session = connectSession(url.origin, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: STREAM_BYTES },
      maxSessionMemory: SESSION_MEMORY_MB,
    });
    session.setLocalWindowSize(STREAM_BYTES * DEFAULT_STREAMS);
    const close = (): void => {
      this.hasEnded = true;
    };
    session.on('error', close);
    session.once('goaway', close);
    session.once('close', close);
    session.on('remoteSettings', ({ maxConcurrentStreams }) => {
      this.most = maxConcurrentStreams ?? DEFAULT_STREAMS;
    });
    this.session = session;
    if (this.open === 0) session.unref();
    return session;
  }
}

/** Resolves when both sides have agreed on a protocol. */
function handshake(url: URL, tls: ConnectionOptions): Promise<TLSSocket> {
  const host = url.hostname.replaceAll(/[[\]]/g, '');
  return new Promise((resolve, reject) => {
    const socket = connectTls({
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...tls,
      host,
      port: Number(url.port || 443),
      ALPNProtocols: ['h2', 'http/1.1'],
    });
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.setTimeout(CONNECT_MS, () => {
      socket.destroy(new Error(`no answer within ${CONNECT_MS} ms`));
    });
    socket.once('error', reject);
    socket.once('close', () => {
      reject(new Error(CLOSED));
    });
    socket.once('secureConnect', () => {
      socket.setTimeout(0);
      resolve(socket);
    });
  });
}

/** An answer whose head has arrived. */
export interface StreamedAnswer {
  readonly code: number;
  readonly body: Readable;
  /** Whether a body that has ended is all of it: a cut connection of HTTP/2 ends a stream without an error. */
  readonly isWhole: () => boolean;
}

function ask(
  session: ClientHttp2Session,
  { path, headers, signal, timeoutMs }: StreamRequest,
): { readonly stream: ClientHttp2Stream; readonly answer: Promise<StreamedAnswer> } {
  const options = { endStream: true, ...(signal ? { signal } : {}) };
  const stream = session.request({ ':path': path, ...headers }, options);
  const answer = new Promise<StreamedAnswer>((resolve, reject) => {
    stream.setTimeout(timeoutMs, () => {
      stream.destroy(new Error(`no answer within ${timeoutMs} ms`));
    });
    stream.once('response', (head) => {
      const isWhole = (): boolean => (stream.rstCode ?? 0) === 0;
      resolve({ code: Number(head[':status']), body: stream, isWhole });
    });
    // It stays: what happens to a stream that nobody reads must not end the process.
    stream.on('error', reject);
    stream.once('close', () => {
      reject(new Error(CLOSED));
    });
  });
  return { stream, answer };
}

/**
 * Answers that go on for long, as many over one connection as the server allows: a handshake of its own for each would
 * cost a process that follows sixty collections most of its start.
 */
export class Http2Streams {
  readonly #sessions = new Set<Session>();
  #isHttp1 = false;

  constructor(
    private readonly url: URL,
    private readonly tls: ConnectionOptions,
  ) {}

  /** The answer to a GET once its head has arrived; undefined when the server does not speak HTTP/2. */
  async open(request: StreamRequest): Promise<StreamedAnswer | undefined> {
    if (this.#isHttp1) return undefined;
    const session = this.#take();
    const wasOpen = session.isOpen;
    const end = (): void => {
      session.end();
    };
    let stream: ClientHttp2Stream | undefined;
    try {
      const connected = await session.ready;
      if (!connected) this.#isHttp1 = true;
      request.signal?.throwIfAborted();
      if (!connected) return undefined;
      const asked = ask(connected, request);
      stream = asked.stream.once('close', end);
      return await asked.answer;
    } catch (error) {
      // The server closed a kept connection while we wrote on it: we simply ask again.
      if (wasOpen && session.isClosing && !request.signal?.aborted) return await this.open(request);
      throw error;
    } finally {
      if (!stream) end();
    }
  }

  close(): void {
    for (const session of this.#sessions) session.destroy();
    this.#sessions.clear();
  }

  /** A place on a connection, a new one when the others are full. */
  #take(): Session {
    for (const one of this.#sessions) if (one.isOver) this.#sessions.delete(one);
    let session = [...this.#sessions].find((one) => one.hasRoom);
    if (!session) {
      session = new Session(this.url, this.tls);
      this.#sessions.add(session);
    }
    session.begin();
    return session;
  }
}
