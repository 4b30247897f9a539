import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { joinHostPort, reachablePort } from '@orrery/component';

export interface HttpTarget {
  readonly scheme: string;
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
}

export interface HttpAnswer {
  readonly code: number;
  readonly body: string;
  /** Where a redirect leads. */
  readonly location?: string;
}

/** Longest body that is kept (k8s pkg/probe/http: 10 KiB). */
const MAX_BODY = 10_240;

/** The URL in the words of Go's net/url, for messages. */
export const toUrl = ({ scheme, host, port, path }: HttpTarget): string =>
  `${scheme.toLowerCase()}://${joinHostPort(host, port)}${path.startsWith('/') ? path : `/${path}`}`;

function goError(target: HttpTarget, error: NodeJS.ErrnoException): Error {
  const url = `Get "${toUrl(target)}"`;
  if (error.code === 'ECONNREFUSED')
    return new Error(
      `${url}: dial tcp ${joinHostPort(target.host, target.port)}: connect: connection refused`,
      { cause: error },
    );
  if (error.name === 'AbortError' || error.name === 'TimeoutError')
    return new Error(
      `${url}: context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
      {
        cause: error,
      },
    );
  return new Error(`${url}: ${error.message}`, { cause: error });
}

async function readBody(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= MAX_BODY) break;
  }
  return Buffer.concat(chunks).toString('utf8', 0, MAX_BODY);
}

/** One GET on a fresh connection, redirects not followed; certificates of pods are not verified, as upstream. */
export function httpGet(
  target: HttpTarget,
  timeoutMs: number,
  signal = AbortSignal.timeout(timeoutMs),
): Promise<HttpAnswer> {
  const headers: Record<string, string> = {
    'user-agent': 'kube-probe/1.36',
    accept: '*/*',
    connection: 'close',
  };
  for (const { name, value } of target.headers) headers[name.toLowerCase()] = value;
  const options = {
    host: target.host,
    port: reachablePort(target.port),
    path: target.path.startsWith('/') ? target.path : `/${target.path}`,
    headers,
    signal,
  };
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      reject(goError(target, error));
    };
    const onAnswer = (message: IncomingMessage): void => {
      readBody(message).then((body) => {
        const { location } = message.headers;
        resolve({ code: message.statusCode ?? 0, body, ...(location && { location }) });
      }, fail);
    };
    const request =
      target.scheme.toUpperCase() === 'HTTPS'
        ? httpsRequest({ ...options, rejectUnauthorized: false, agent: false }, onAnswer)
        : httpRequest({ ...options, agent: new HttpAgent({ keepAlive: false }) }, onAnswer);
    request.on('error', fail);
    request.end();
  });
}

/** Go's http.Client gives up after as many. */
const MAX_REDIRECTS = 10;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Where an answer leads on the same host; undefined when it leads nowhere or to another one. */
function redirected(target: HttpTarget, { code, location }: HttpAnswer): HttpTarget | undefined {
  if (!REDIRECTS.has(code) || location === undefined) return undefined;
  const from = toUrl(target);
  if (!URL.canParse(location, from)) return undefined;
  const base = new URL(from);
  const { protocol, hostname, port, pathname, search } = new URL(location, base);
  if (hostname !== base.hostname) return undefined;
  const scheme = protocol.slice(0, -1);
  const usual = scheme === 'https' ? 443 : 80;
  return { ...target, scheme, port: Number(port || usual), path: pathname + search };
}

/** A GET that follows redirects within the host; the answer of one that leads elsewhere is given as it is. */
export async function httpGetLocal(target: HttpTarget, timeoutMs: number): Promise<HttpAnswer> {
  const signal = AbortSignal.timeout(timeoutMs);
  let here = target;
  for (let count = 0; count < MAX_REDIRECTS; count++) {
    const answer = await httpGet(here, timeoutMs, signal);
    const next = redirected(here, answer);
    if (!next) return answer;
    here = next;
  }
  throw new Error(`Get "${toUrl(here)}": stopped after ${MAX_REDIRECTS} redirects`);
}
