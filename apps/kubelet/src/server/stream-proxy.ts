import type { IncomingMessage } from 'node:http';
import { request as httpRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import { endSocket } from '@orrery/component';

const DROPPED = new Set(['authorization', 'host']);

function head(code: number, reason: string, headers: readonly string[]): string {
  const lines = [`HTTP/1.1 ${code} ${reason}`];
  for (let i = 0; i < headers.length; i += 2)
    lines.push(`${headers[i] ?? ''}: ${headers[i + 1] ?? ''}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** Bytes of a refusal that are handed on. */
const REFUSAL_LIMIT = 64 * 1024;

/** The text of an answer, as much of it as came and is handed on. */
async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let left = REFUSAL_LIMIT;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      chunks.push(chunk.subarray(0, left));
      left -= chunk.length;
      if (left <= 0) break;
    }
  } catch {
    // It was cut short: what came says more than nothing.
  }
  return Buffer.concat(chunks).toString('utf8').trimEnd();
}

/** Answers an upgrade request with plain text and ends the connection. */
export function refuse(socket: Duplex, code: number, reason: string, body: string): void {
  const text = body.endsWith('\n') ? body : `${body}\n`;
  endSocket(
    socket,
    `${head(code, reason, ['Content-Type', 'text/plain; charset=utf-8', 'Content-Length', String(Buffer.byteLength(text)), 'Connection', 'close'])}${text}`,
  );
}

/**
 * Passes an upgraded connection through to the runtime's streaming server, byte for byte. Nothing is forwarded before
 * that server has answered 101; after any other answer both connections are closed (CVE-2018-1002105, CVE-2020-8559).
 */
export function proxyUpgrade(
  request: IncomingMessage,
  client: Duplex,
  early: Buffer,
  target: URL,
): void {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(request.headers))
    if (value !== undefined && !DROPPED.has(name)) headers[name] = value;
  const outgoing = httpRequest({
    // A URL has brackets around an address of IPv6.
    host: target.hostname.replaceAll(/[[\]]/g, ''),
    port: target.port,
    path: `${target.pathname}${target.search}`,
    method: request.method,
    headers: { ...headers, host: target.host },
    agent: false,
  });
  client.on('error', () => outgoing.destroy());
  outgoing.on('upgrade', (answer, backend, backendEarly) => {
    client.write(head(101, answer.statusMessage ?? 'Switching Protocols', answer.rawHeaders));
    if (backendEarly.length > 0) client.write(backendEarly);
    if (early.length > 0) backend.write(early);
    backend.pipe(client);
    client.pipe(backend);
    const end = (): void => {
      backend.destroy();
      client.destroy();
    };
    backend.on('error', end).on('close', () => client.end());
    client.on('error', end).on('close', () => backend.end());
  });
  outgoing.on('response', (answer) => {
    void textOf(answer).then((text) => {
      outgoing.destroy();
      refuse(client, answer.statusCode ?? 502, answer.statusMessage ?? 'Bad Gateway', text);
    });
  });
  outgoing.on('error', (error) => {
    if (!client.destroyed)
      refuse(client, 502, 'Bad Gateway', `error dialing backend: ${error.message}`);
  });
  outgoing.end();
}
