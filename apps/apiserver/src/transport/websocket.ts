import { IncomingMessage, ServerResponse, STATUS_CODES, request as httpRequest } from 'node:http';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { duplexPair } from 'node:stream';
import type { Duplex } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';
import { isFlagSet } from '@orrery/apimachinery';
import { endSocket } from '@orrery/component';

const BINARY = 'binary.k8s.io';
const BASE64 = 'base64.binary.k8s.io';
/** A client that sends more than this to a stream that reads nothing is none of ours. */
const MAX_SENT = 4096;
const NORMAL = 1000;

/** Watches and logs: their answers are streams, sent as messages to who asks for a WebSocket. */
export function isWebSocketStream({ method, url = '/', headers }: IncomingMessage): boolean {
  if (method !== 'GET' || headers.upgrade?.toLowerCase() !== 'websocket') return false;
  const { pathname, searchParams } = new URL(url, 'https://localhost');
  return (
    isFlagSet(searchParams.get('watch')) ||
    /\/api(s\/[^/]+)?\/[^/]+\/watch\//.test(pathname) ||
    /\/namespaces\/[^/]+\/pods\/[^/]+\/log$/.test(pathname)
  );
}

/** The same request without its wish, answered as every other; what comes back is read from the pair's other end. */
function answerOf(server: Server, raw: IncomingMessage): Promise<IncomingMessage> {
  const [near, far] = duplexPair();
  const asked = new IncomingMessage(raw.socket);
  const { connection: _, upgrade: __, ...headers } = raw.headers;
  Object.assign(asked, {
    method: 'GET',
    url: raw.url,
    headers,
    httpVersion: '1.1',
    httpVersionMajor: 1,
    httpVersionMinor: 1,
    complete: true,
  });
  asked.push(null);
  const response = new ServerResponse(asked);
  response.shouldKeepAlive = false;
  response.assignSocket(far as Socket);
  response.once('finish', () => far.end());
  far.resume();
  return new Promise((resolve, reject) => {
    httpRequest({ createConnection: () => near })
      .once('response', resolve)
      .once('error', reject)
      .end();
    server.emit('request', asked, response);
  });
}

const isPiece = (buffer: Buffer, end: number): boolean => end > 0 && end <= buffer.length;

/** Cuts a watch's stream where its events end: lines of JSON, or frames that begin with their length. */
async function* eventsOf(answer: AsyncIterable<Buffer>, isJson: boolean): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  const endOf = (): number =>
    isJson ? rest.indexOf(10) + 1 : rest.length < 4 ? 0 : 4 + rest.readUInt32BE(0);
  for await (const chunk of answer) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let end = endOf(); isPiece(rest, end); end = endOf()) {
      yield rest.subarray(isJson ? 0 : 4, end);
      rest = rest.subarray(end);
    }
  }
}

const send = (client: WebSocket, message: Buffer | string, binary: boolean): Promise<void> =>
  new Promise((resolve, reject) => {
    client.send(message, { binary }, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });

async function stream(client: WebSocket, answer: IncomingMessage, isLog: boolean): Promise<void> {
  const isJson = /json/.test(answer.headers['content-type'] ?? '');
  const messages = isLog ? (answer as AsyncIterable<Buffer>) : eventsOf(answer, isJson);
  const isText = isLog ? client.protocol === BASE64 : isJson;
  for await (const message of messages)
    await send(client, isLog && isText ? message.toString('base64') : message, !isText);
  client.close(NORMAL);
}

async function refuse(socket: Duplex, answer: IncomingMessage): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const code = answer.statusCode ?? 500;
  const type = answer.headers['content-type'] ?? 'text/plain';
  const head = `HTTP/1.1 ${code} ${STATUS_CODES[code] ?? 'Error'}\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`;
  endSocket(socket, Buffer.concat([Buffer.from(head), body]));
}

let sockets: Promise<WebSocketServer> | undefined;

/** Loaded when somebody asks: few do. */
async function loadSockets(): Promise<WebSocketServer> {
  const { WebSocketServer: Sockets } = await import('ws');
  return new Sockets({
    noServer: true,
    maxPayload: MAX_SENT,
    // Nobody listens to what a client sends: of thousands of tiny frames in a chunk each takes a turn of its own.
    allowSynchronousEvents: false,
    // The token of a browser comes as a protocol, too, and is none.
    handleProtocols: (offered) => [BASE64, BINARY].find((one) => offered.has(one)) ?? false,
  });
}

/**
 * A watch or a log as WebSocket messages: an event a message, text for JSON; a log's bytes as they come, as text in base64
 * for `base64.binary.k8s.io` (k8s apiserver pkg/endpoints/handlers/watch.go:HandleWS, pkg/util/wsstream/stream.go).
 */
export async function serveWebSocket(
  server: Server,
  raw: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const answer = await answerOf(server, raw);
  if (answer.statusCode !== 200) {
    await refuse(socket, answer);
    return;
  }
  sockets ??= loadSockets();
  (await sockets).handleUpgrade(raw, socket, head, (client) => {
    // Who ends early, or sends what is no message, ends the stream.
    client.on('error', () => client.terminate()).once('close', () => answer.destroy());
    const isLog = new URL(raw.url ?? '/', 'https://localhost').pathname.endsWith('/log');
    stream(client, answer, isLog).catch(() => client.terminate());
  });
}
