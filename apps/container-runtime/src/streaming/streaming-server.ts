import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { endSocket, joinHostPort } from '@orrery/component';
import type { Clock, Logger, Random } from '@orrery/component';
import { CriError } from '@orrery/cri';
import { WebSocketServer, createWebSocketStream } from 'ws';
import type { WebSocket } from 'ws';
import type { RemoteStreams, WantedStreams } from './remote-streams.js';
import { serveSpdyForward, serveWebsocketForward } from './serve-port-forward.js';
import { SPDY_VERSIONS, spdyStreams } from './spdy-streams.js';
import {
  MOST_MESSAGE,
  WEBSOCKET_VERSIONS,
  answerPings,
  websocketStreams,
} from './websocket-streams.js';

/** What a one-time URL stands for. */
export type StreamingRequest =
  | {
      readonly kind: 'exec' | 'attach';
      readonly want: WantedStreams;
      serve(streams: RemoteStreams): Promise<void>;
    }
  | {
      readonly kind: 'portforward';
      readonly ip: string;
      readonly netns: string | undefined;
      readonly sandboxId: string;
      readonly ports: readonly number[];
    };

export interface StreamingServerOptions {
  readonly address: string;
  readonly port: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** A URL that is not used in time, or one too many, is worth nothing (k8s kubelet streaming/request_cache.go). */
const TOKEN_TTL_MS = 60_000;
const MAX_TOKENS = 1_000;

const FORWARD = 'portforward.k8s.io';
/** Not a legal token of a WebSocket subprotocol (it holds a slash), so `ws` must not see it. */
const TUNNEL = 'SPDY/3.1+portforward.k8s.io';

const offered = (header: string | string[] | undefined): string[] =>
  [header ?? []]
    .flat()
    .flatMap((text) => text.split(','))
    .map((text) => text.trim());

function refuse(socket: Duplex, status: string, text: string): void {
  endSocket(
    socket,
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
}

/** The HTTP side of Exec, Attach and PortForward: SPDY/3.1 and WebSocket, one connection a URL. */
export class StreamingServer {
  private readonly requests = new Map<string, StreamingRequest>();
  private readonly sockets = new Set<Duplex>();
  private readonly server = createServer((_request, response) => {
    response.writeHead(426, { 'Content-Type': 'text/plain' }).end('you must upgrade\n');
  });
  private readonly websockets = new WebSocketServer({
    noServer: true,
    maxPayload: MOST_MESSAGE,
    autoPong: false,
    handleProtocols: (protocols) =>
      WEBSOCKET_VERSIONS.find((version) => protocols.has(version)) ?? false,
  });
  /** Requests that were offered the tunnel's subprotocol, to answer with it. */
  private readonly tunnels = new WeakSet<IncomingMessage>();
  private baseUrl = '';

  constructor(private readonly options: StreamingServerOptions) {
    this.server.on('connection', (socket: Duplex) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    this.server.on('upgrade', (request, socket, head) => {
      socket.on('error', () => socket.destroy());
      this.upgrade(request, socket, head);
    });
    this.websockets.on('headers', (headers, request) => {
      if (this.tunnels.has(request)) headers.push(`Sec-WebSocket-Protocol: ${TUNNEL}`);
    });
  }

  listen(): Promise<void> {
    const { address, port } = this.options;
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, address, () => {
        this.baseUrl = `http://${joinHostPort(address, (this.server.address() as AddressInfo).port)}`;
        resolve();
      });
    });
  }

  /** Ends every session. */
  close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => {
      this.server.close(() => {
        resolve();
      });
    });
  }

  /** The URL under which the request can be made, once. */
  register(request: StreamingRequest): string {
    if (this.requests.size >= MAX_TOKENS)
      throw new CriError('RESOURCE_EXHAUSTED', 'maximum number of in-flight requests exceeded');
    const token = this.options.random.uuid().replaceAll('-', '');
    this.requests.set(token, request);
    this.options.clock.after(TOKEN_TTL_MS, () => this.requests.delete(token), { unref: true });
    return `${this.baseUrl}/${request.kind}/${token}`;
  }

  private take(url: string): StreamingRequest | undefined {
    const [, kind, token = ''] = (url.split('?')[0] ?? '').split('/');
    const request = this.requests.get(token);
    if (request?.kind !== kind) return undefined;
    this.requests.delete(token);
    return request;
  }

  private upgrade(message: IncomingMessage, socket: Duplex, head: Buffer): void {
    const request = this.take(message.url ?? '');
    if (!request) {
      refuse(socket, '404 Not Found', 'unknown or used token\n');
      return;
    }
    const upgrade = String(message.headers.upgrade).toLowerCase();
    if (upgrade === 'spdy/3.1') this.upgradeSpdy(message, socket, head, request);
    else if (upgrade === 'websocket') this.upgradeWebsocket(message, socket, head, request);
    else refuse(socket, '400 Bad Request', `unable to upgrade: unexpected protocol ${upgrade}\n`);
  }

  private upgradeSpdy(
    message: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    request: StreamingRequest,
  ): void {
    const asked = offered(message.headers['x-stream-protocol-version']);
    const known = request.kind === 'portforward' ? [FORWARD] : SPDY_VERSIONS;
    // A client that names none means the first version (k8s apimachinery httpstream.Handshake).
    const none =
      asked.length === 0 && request.kind !== 'portforward' ? 'channel.k8s.io' : undefined;
    const version = known.find((name) => asked.includes(name)) ?? none;
    if (version === undefined) {
      refuse(
        socket,
        '403 Forbidden',
        `unable to upgrade: unable to negotiate protocol: client supports ${asked.join(', ')}, server accepts ${known.join(', ')}\n`,
      );
      return;
    }
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${version}\r\n\r\n`,
    );
    if (head.length > 0) socket.unshift(head);
    if (request.kind === 'portforward') {
      serveSpdyForward(socket, request);
      return;
    }
    const { want } = request;
    this.watch(
      spdyStreams(socket, { want, version, clock: this.options.clock }).then((streams) =>
        request.serve(streams),
      ),
      request.kind,
    );
  }

  private upgradeWebsocket(
    message: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    request: StreamingRequest,
  ): void {
    const asked = offered(message.headers['sec-websocket-protocol']);
    const tunnel = request.kind === 'portforward' && asked.includes(TUNNEL);
    if (tunnel) {
      this.tunnels.add(message);
      delete message.headers['sec-websocket-protocol'];
    } else if (asked.length > 0 && !WEBSOCKET_VERSIONS.some((name) => asked.includes(name))) {
      refuse(socket, '400 Bad Request', `no known subprotocol in ${asked.join(', ')}\n`);
      return;
    }
    this.websockets.handleUpgrade(message, socket, head, (websocket) => {
      answerPings(websocket);
      this.serveWebsocket(websocket, request, tunnel ? undefined : () => socket.end());
    });
  }

  /**
   * `hangUp` ends the connection behind the last frame, as upstream does: the Python client sees what has come in one TLS
   * record with another frame, and so the end, only when something more comes. A tunnel has none.
   */
  private serveWebsocket(
    websocket: WebSocket,
    request: StreamingRequest,
    hangUp: (() => void) | undefined,
  ): void {
    if (request.kind !== 'portforward') {
      const session = request.serve(websocketStreams(websocket, request.want));
      this.watch(session.then(hangUp), request.kind);
      return;
    }
    if (hangUp) {
      serveWebsocketForward(websocket, request, request.ports, hangUp);
      return;
    }
    const stream = createWebSocketStream(websocket);
    stream.on('error', () => stream.destroy());
    serveSpdyForward(stream, request);
  }

  private watch(session: Promise<void>, kind: string): void {
    session.catch((error: unknown) => {
      this.options.logger.warn('streaming session failed', { kind, error: String(error) });
    });
  }
}
