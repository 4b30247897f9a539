import { readFileSync } from 'node:fs';
import { STATUS_CODES, createServer, request as httpRequest } from 'node:http';
import type {
  IncomingMessage,
  OutgoingHttpHeaders,
  RequestListener,
  Server,
  ServerResponse,
} from 'node:http';
import { isIPv6 } from 'node:net';
import { reachablePort } from '@orrery/component';
import type { Agnhost } from './agnhost.js';
import { Fatal, textOf } from './agnhost.js';

export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  /** `address:port` of the client. */
  readonly remote: string;
}

export interface Reply {
  readonly status?: number;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: Buffer | string;
}

export type Handler = (exchange: Exchange) => Reply | Promise<Reply>;

/** Handlers by path; that of `/` takes every other path, as in Go's ServeMux. */
export type Routes = Readonly<Record<string, Handler>>;

const PLAIN = 'text/plain; charset=utf-8';

const HTML =
  /^[\t\n\f\r ]*(?:<!--|<(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p)[ >])/i;
const XML = /^[\t\n\f\r ]*<\?xml/;
const SNIFFED_BYTES = 512;

/** What Go's server says of a body whose type nobody set (net/http/sniff.go), as far as it is text. */
export function sniffed(body: Buffer | string): string {
  const start = body.toString('utf8').slice(0, SNIFFED_BYTES);
  if (HTML.test(start)) return 'text/html; charset=utf-8';
  return XML.test(start) ? 'text/xml; charset=utf-8' : PLAIN;
}

/** A complaint as Go's http.Error answers it. */
export const httpError = (status: number, text: string): Reply => ({
  status,
  headers: { 'Content-Type': PLAIN, 'X-Content-Type-Options': 'nosniff' },
  body: `${text}\n`,
});

/** As Go's http.Redirect answers a GET. */
export const redirection = (location: string, status: number): Reply => ({
  status,
  headers: { Location: location, 'Content-Type': 'text/html; charset=utf-8' },
  body: `<a href="${location}">${STATUS_CODES[status] ?? ''}</a>.\n\n`,
});

export const json = (value: unknown, status = 200): Reply => ({
  status,
  headers: { 'Content-Type': PLAIN },
  body: JSON.stringify(value),
});

const unmapped = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/, '');

/** `address:port` as Go prints it. */
export function hostPort(address: string, port: number | string): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}

async function exchangeOf(request: IncomingMessage): Promise<Exchange> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  const [path, search] = mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)];
  const query = new URLSearchParams(search);
  if (request.headers['content-type']?.startsWith('application/x-www-form-urlencoded'))
    for (const [name, value] of new URLSearchParams(body.toString('utf8')))
      query.append(name, value);
  const { remoteAddress = '', remotePort = 0 } = request.socket;
  return {
    method: request.method ?? 'GET',
    path,
    query,
    headers: request.headers,
    body,
    remote: hostPort(unmapped(remoteAddress), remotePort),
  };
}

export const routed =
  (routes: Routes): Handler =>
  (exchange) =>
    (routes[exchange.path] ?? routes['/'])?.(exchange) ?? httpError(404, '404 page not found');

async function answer(
  handler: Handler,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { status = 200, headers = {}, body = '' } = await handler(await exchangeOf(request));
  response.writeHead(status, {
    ...(body.length > 0 ? { 'Content-Type': sniffed(body) } : {}),
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

export interface HttpServerOptions {
  readonly port: number;
  readonly handler: Handler;
  readonly tls?: { readonly certFile: string; readonly keyFile: string } | undefined;
  /** Default: the address of the pod. */
  readonly address?: string;
}

/** Whether an address means all addresses of the pod. */
const isWildcard = (address: string): boolean => ['', '0.0.0.0', '::', '[::]'].includes(address);

export function listenAddress(host: Agnhost, address: string): string {
  if (isWildcard(address)) return host.listen;
  // Where the pod's address is a loopback address it is also its localhost.
  const isLocal = address === 'localhost' || address === '127.0.0.1';
  return isLocal && host.listen.startsWith('127.') ? host.listen : address;
}

/** TLS is loaded where it is needed: it is a third of the time in which a program starts. */
async function tlsServer(
  { certFile, keyFile }: NonNullable<HttpServerOptions['tls']>,
  listener: RequestListener,
): Promise<Server> {
  const https = await import('node:https');
  return https.createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) }, listener);
}

/** Listens; rejects with Fatal in Go's words. */
export async function serveHttp(host: Agnhost, options: HttpServerOptions): Promise<Server> {
  const { port, handler, tls, address = '' } = options;
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    answer(handler, request, response).catch((error: unknown) => {
      host.log(`http: panic serving ${request.url ?? ''}: ${textOf(error)}`);
      response.destroy();
    });
  };
  const server = tls ? await tlsServer(tls, listener) : createServer(listener);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(new Fatal(`listen tcp ${hostPort(address, port)}: ${textOf(error)}`));
    });
    server.listen({ port: reachablePort(port), host: listenAddress(host, address) }, resolve);
  });
  return server;
}

export interface HttpGot {
  readonly status: number;
  readonly body: string;
}

/** One request with a connection of its own. */
export function httpGet(
  url: string,
  options: { readonly timeoutMs?: number; readonly method?: string; readonly body?: string } = {},
): Promise<HttpGot> {
  const { timeoutMs = 5_000, method = 'GET', body } = options;
  return new Promise((resolve, reject) => {
    const asked = httpRequest(
      url,
      { method, agent: false, signal: AbortSignal.timeout(timeoutMs) },
      (got) => {
        const chunks: Buffer[] = [];
        got.on('data', (chunk: Buffer) => chunks.push(chunk));
        got.once('error', reject);
        got.once('end', () => {
          resolve({ status: got.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') });
        });
      },
    );
    asked.once('error', (error) => {
      reject(new Error(`Get "${url}": ${textOf(error)}`, { cause: error }));
    });
    asked.end(body);
  });
}
