import { request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { StatusError, newServiceUnavailable } from '@orrery/apimachinery';
import { joinHostPort } from '@orrery/component';
import { connectionFailure } from '../webhooks/https-post.js';
import type { KubeletLocation, KubeletTls } from './kubelet-location.js';

/** A server to which a request is passed on; its address has been checked already. */
export interface Backend {
  readonly scheme: 'http' | 'https';
  readonly address: string;
  readonly port: number;
  readonly serverName?: string;
  readonly tls?: KubeletTls;
}

export interface BackendRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  readonly signal?: AbortSignal;
}

export const kubeletBackend = (location: KubeletLocation, tls: KubeletTls): Backend => ({
  scheme: 'https',
  ...location,
  tls,
});

const contexts = new WeakMap<KubeletTls, SecureContext>();

/** The certificates of kubelets' clients, read once: hundreds of streams may be opened at the same time. */
function contextOf(tls: KubeletTls): SecureContext {
  const known = contexts.get(tls);
  if (known) return known;
  const made = createSecureContext(tls);
  contexts.set(tls, made);
  return made;
}

/** Opens a request on a connection of its own: nothing a client did on one can reach the next (CVE-2018-1002105). */
export function openRequest(backend: Backend, request: BackendRequest): ClientRequest {
  const options = {
    host: backend.address,
    port: backend.port,
    method: request.method,
    path: request.path,
    headers: request.headers,
    agent: false as const,
    ...(request.signal ? { signal: request.signal } : {}),
  };
  if (backend.scheme === 'http') return httpRequest(options);
  return httpsRequest({
    ...options,
    rejectUnauthorized: backend.tls?.rejectUnauthorized ?? false,
    ...(backend.tls ? { secureContext: contextOf(backend.tls) } : {}),
    ...(backend.serverName ? { servername: backend.serverName } : { servername: '' }),
  });
}

type NoAnswer = (backend: Backend, request: BackendRequest, error: unknown) => StatusError;

const reasonOf = ({ address, port }: Backend, error: unknown): string =>
  connectionFailure(error, joinHostPort(address, port));

/** A failure in the words of Go's net/http. */
export function requestFailure(backend: Backend, request: BackendRequest, error: unknown): string {
  const method = `${request.method.charAt(0)}${request.method.slice(1).toLowerCase()}`;
  const url = `${backend.scheme}://${joinHostPort(backend.address, backend.port)}${request.path}`;
  return `${method} "${url}": ${reasonOf(backend, error)}`;
}

/** The error of a proxied request that got no answer (k8s apimachinery pkg/util/proxy/transport.go:RoundTrip). */
export const unreachable: NoAnswer = (backend, _request, error) =>
  newServiceUnavailable(`error trying to reach service: ${reasonOf(backend, error)}`, error);

/** That of an upgrade, where Go's errors have no reason (same place, upgradeaware.go:dial). */
export const undialled: NoAnswer = (backend, _request, error) =>
  new StatusError(500, '', `error dialing backend: ${reasonOf(backend, error)}`, { cause: error });

/** The error of any other request that got no answer. */
export const dialError: NoAnswer = (backend, request, error) =>
  new StatusError(500, '', requestFailure(backend, request, error), { cause: error });

/** Sends `body` and resolves with the head of the answer. Rejects with the StatusError for no answer. */
export function exchange(
  backend: Backend,
  request: BackendRequest,
  body?: Buffer,
  noAnswer: NoAnswer = dialError,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = openRequest(backend, request);
    const { connectMs } = backend.tls ?? {};
    if (connectMs !== undefined)
      outgoing.once('socket', (socket) => {
        socket.setTimeout(connectMs, () => {
          outgoing.destroy(Object.assign(new Error('i/o timeout'), { code: 'ETIMEDOUT' }));
        });
        socket.once('secureConnect', () => socket.setTimeout(0));
      });
    outgoing.once('response', resolve);
    outgoing.once('error', (error) => {
      reject(noAnswer(backend, request, error));
    });
    outgoing.end(body);
  });
}

/** At most `limit` bytes of a body, as text; the rest is dropped. */
export async function readText(stream: IncomingMessage, limit = 8192): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk.subarray(0, limit - size));
    size += chunk.length;
    if (size >= limit) break;
  }
  return Buffer.concat(chunks).toString();
}
