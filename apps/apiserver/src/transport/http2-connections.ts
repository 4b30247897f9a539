import { constants, createServer } from 'node:http2';
import type {
  Http2Server,
  Http2ServerRequest,
  Http2ServerResponse,
  ServerHttp2Session,
} from 'node:http2';
import type { Server } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { Clock, Logger, Random } from '@orrery/component';
import { FrameBudget } from './frame-budget.js';
import { StreamRequest, StreamResponse, rememberSocket } from './http2-messages.js';

/** k8s apiserver pkg/server/secure_serving.go:Serve, for this and the two below. */
const DEFAULT_STREAMS = 100;
/** 99 of 100 bodies are smaller. */
const BODY_BYTES = 256 * 1024;
const IDLE_MS = 90_000;

/** Megabytes that a session may hold; room for the slices of as many lists as an informer factory reads at once. */
const SESSION_MEMORY_MB = 64;
/** What streams that a client opens and resets may cost (CVE-2023-44487): four times what may be open, as in Go. */
const RESET_BURST = 4;
const RESETS_PER_SECOND = 50;
/** Clients ask every 15 or 30 seconds whether a connection lives, and change their settings once. */
const CONTROL_FRAMES = { burst: 100, perSecond: 10 };

/** Sorts of frames that cost a client nothing and are answered each (CVE-2019-9512, CVE-2019-9514, CVE-2019-9515). */
const COUNTED = ['ping', 'remoteSettings'] as const;

export interface Http2Options {
  /** 0 = upstream's default. */
  readonly maxStreams: number;
  /** Chance that a request ends its connection, once what is asked on it is answered. */
  readonly goawayChance: number;
}

/**
 * HTTP/2 on the port of an HTTP/1.1 server: connections that chose `h2` in their handshake go to sessions, whose
 * requests the server's own handler takes; all others are the server's as ever.
 */
export class Http2Connections {
  private readonly open = new Map<ServerHttp2Session, number>();
  private readonly http2: Http2Server;

  constructor(
    private readonly server: Server,
    private readonly options: Http2Options,
    private readonly deps: {
      readonly clock: Clock;
      readonly logger: Logger;
      readonly random: Random;
    },
  ) {
    const { maxStreams } = options;
    const streams = maxStreams > 0 ? maxStreams : DEFAULT_STREAMS;
    this.http2 = createServer({
      settings: {
        maxConcurrentStreams: streams,
        initialWindowSize: BODY_BYTES,
        maxFrameSize: BODY_BYTES,
      },
      maxSessionMemory: SESSION_MEMORY_MB,
      maxSessionInvalidFrames: DEFAULT_STREAMS,
      maxSessionRejectedStreams: streams,
      streamResetBurst: streams * RESET_BURST,
      streamResetRate: RESETS_PER_SECOND,
      Http2ServerRequest: StreamRequest as unknown as typeof Http2ServerRequest,
      Http2ServerResponse: StreamResponse as unknown as typeof Http2ServerResponse,
    });
    this.http2.on('request', (request, response) => server.emit('request', request, response));
    this.http2.on('sessionError', () => undefined);
    this.http2.on('session', (session) => {
      session.setLocalWindowSize(BODY_BYTES * streams);
    });
    this.takeOver();
  }

  /** Lets the streams that are open end and refuses new ones. */
  close(): void {
    for (const session of this.open.keys()) session.close();
  }

  destroy(): void {
    for (const session of this.open.keys()) session.destroy();
  }

  private takeOver(): void {
    const { server } = this;
    // The one listener is that of node:https, which speaks HTTP/1.1 on whatever it is given.
    const others = server.listeners('secureConnection') as ((socket: TLSSocket) => void)[];
    server.removeAllListeners('secureConnection');
    server.on('secureConnection', (socket: TLSSocket) => {
      if (socket.alpnProtocol === 'h2') this.begin(socket);
      else for (const listener of others) listener.call(server, socket);
    });
  }

  private begin(socket: TLSSocket): void {
    this.http2.once('session', (session) => {
      rememberSocket(session, socket);
      this.follow(session);
      this.guard(session, socket);
    });
    this.http2.emit('connection', socket);
  }

  private follow(session: ServerHttp2Session): void {
    const count = (change: number): void => {
      const streams = this.open.get(session);
      if (streams !== undefined) this.open.set(session, streams + change);
    };
    this.open.set(session, 0);
    session.once('close', () => {
      this.open.delete(session);
    });
    const { goawayChance } = this.options;
    session.on('stream', (stream) => {
      count(1);
      if (goawayChance > 0 && this.deps.random.next() < goawayChance) session.close();
      stream.once('close', () => {
        count(-1);
      });
    });
    session.setTimeout(IDLE_MS, () => {
      if (this.open.get(session) === 0) session.close();
    });
  }

  /** Ends a session that floods: GOAWAY, and the connection with it. */
  private guard(session: ServerHttp2Session, socket: TLSSocket): void {
    for (const sort of COUNTED) {
      const budget = new FrameBudget(this.deps.clock, CONTROL_FRAMES);
      session.on(sort, () => {
        if (budget.spend() || session.destroyed) return;
        const from = socket.remoteAddress ?? '';
        this.deps.logger.warn('http2 connection ended for too many frames', { sort, from });
        session.destroy(new Error(`too many ${sort} frames`), constants.NGHTTP2_ENHANCE_YOUR_CALM);
      });
    }
  }
}
