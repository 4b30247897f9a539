import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { StatusError, newInternalError } from '@orrery/apimachinery';
import { endSocket } from '@orrery/component';
import { passFramesOn } from './websocket-frames.js';
import { openRequest, readText, undialled } from './backend.js';
import type { Backend, BackendRequest } from './backend.js';

export interface ClientSide {
  readonly socket: Duplex;
  readonly head: Buffer;
  /** What a failure is told by; default the back-end's own answer, or a Status. */
  readonly fail?: Failing;
}

export interface Failing {
  /** The back-end could not be asked. */
  undialled(error: unknown): void;
  /** It answered so. */
  refused(text: string): void;
}

/** Answers a client that has only a raw socket with a Status, and ends. */
export function refuseUpgrade(socket: Duplex, error: unknown): void {
  const failure =
    error instanceof StatusError
      ? error
      : newInternalError(error instanceof Error ? error.message : String(error), error);
  const body = JSON.stringify(failure.status);
  endSocket(
    socket,
    `HTTP/1.1 ${failure.code} ${failure.reason || 'Error'}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function head101(answer: IncomingMessage): string {
  const lines: string[] = ['HTTP/1.1 101 Switching Protocols'];
  for (let i = 0; i + 1 < answer.rawHeaders.length; i += 2)
    lines.push(`${answer.rawHeaders[i]}: ${answer.rawHeaders[i + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function join(client: Duplex, server: Duplex, protocol: string): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      client.destroy();
      server.destroy();
      resolve();
    };
    client.on('error', end).on('close', end);
    server.on('error', end);
    client.pipe(server);
    if (protocol === 'websocket') {
      // Frames still wait for the client when the back-end has closed: its end is not that of the relay.
      void passFramesOn(server, client).then(() => client.end(end), end);
    } else server.on('close', end).pipe(client);
  });
}

/** The head of a back-end's answer as a connection's last one. */
function lastHead(answer: IncomingMessage, length: number): string {
  const lines = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`];
  for (let i = 0; i + 1 < answer.rawHeaders.length; i += 2) {
    const name = answer.rawHeaders[i] ?? '';
    if (!OF_THE_HOP.has(name.toLowerCase())) lines.push(`${name}: ${answer.rawHeaders[i + 1]}`);
  }
  return [...lines, `Content-Length: ${length}`, 'Connection: close', '', ''].join('\r\n');
}

const OF_THE_HOP: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'transfer-encoding',
]);

/** Bytes of a refusal that are handed on. */
const REFUSAL_LIMIT = 1024 * 1024;

/**
 * Asks the back-end to switch protocols and, only after its verified 101 to the same protocol, joins both
 * connections byte by byte until one ends. On anything else the back-end connection is destroyed; a refusal is
 * handed on as it is, of all else the client gets a Status (CVE-2018-1002105, CVE-2020-8559). Resolves when all is closed.
 */
export function relayUpgrade(
  client: ClientSide,
  backend: Backend,
  request: BackendRequest,
): Promise<void> {
  return new Promise((resolve) => {
    const wanted = String(request.headers['upgrade'] ?? '').toLowerCase();
    const outgoing = openRequest(backend, request);
    const refuse = (error: unknown): void => {
      refuseUpgrade(client.socket, error);
      outgoing.destroy();
      resolve();
    };
    const onGone = (): void => {
      outgoing.destroy();
      resolve();
    };
    client.socket.once('close', onGone);
    client.socket.once('error', onGone);
    outgoing.once('error', (error) => {
      if (client.socket.destroyed) return;
      if (client.fail) {
        client.fail.undialled(error);
        resolve();
      } else refuse(undialled(backend, request, error));
    });
    outgoing.once('response', (answer) => {
      const code = answer.statusCode ?? 500;
      if (code < 400) {
        refuse(new StatusError(500, '', `invalid upgrade response: status code ${code}`));
        return;
      }
      const handOn = (text: string): void => {
        // Without a word: it speaks no such protocol, and the client may know another.
        if (client.fail && text.trim() !== '') client.fail.refused(text);
        else endSocket(client.socket, `${lastHead(answer, Buffer.byteLength(text))}${text}`);
        outgoing.destroy();
        resolve();
      };
      void readText(answer, REFUSAL_LIMIT).then(handOn, refuse);
    });
    outgoing.once('upgrade', (answer, server, head) => {
      const got = (answer.headers.upgrade ?? '').toLowerCase();
      if (answer.statusCode !== 101 || got !== wanted) {
        server.destroy();
        refuse(newInternalError('the back-end switched to another protocol'));
        return;
      }
      client.socket.off('close', onGone).off('error', onGone);
      client.socket.write(head101(answer));
      if (head.length > 0) server.unshift(head);
      if (client.head.length > 0) server.write(client.head);
      void join(client.socket, server, got).then(resolve);
    });
    outgoing.end();
  });
}
