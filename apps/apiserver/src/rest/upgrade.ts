import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { StatusError, newNotFound } from '@orrery/apimachinery';
import type { Clock, Logger, Random } from '@orrery/component';
import type { UserInfo } from '@orrery/registry';
import type { ApiServerOptions } from '../config/options.js';
import type { ServerExtensions } from '../extensions.js';
import type { ApiRequest } from '../filters/api-request.js';
import { identify } from '../filters/authentication.guard.js';
import { checkAllowed } from '../filters/authorization.guard.js';
import { parseRequestInfo } from '../filters/request-info.js';
import { toApiError } from '../filters/to-api-error.js';
import { admitConnect } from './admit-subresource.js';
import type { ResourceCatalog } from './resource-catalog.js';

export interface UpgradeDeps {
  readonly catalog: ResourceCatalog;
  readonly extensions: ServerExtensions;
  readonly options: ApiServerOptions;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

const EMPTY = Buffer.alloc(0);

function upgradeRequest(
  raw: IncomingMessage,
  user: UserInfo,
  signal: AbortSignal,
  deps: UpgradeDeps,
): Omit<ApiRequest, 'fastify' | 'reply'> {
  const url = new URL(raw.url ?? '/', 'https://localhost');
  const method = raw.method ?? 'GET';
  const warnings = new Set<string>();
  return {
    info: parseRequestInfo(method, url.pathname, url.searchParams),
    method,
    path: url.pathname,
    query: url.searchParams,
    headers: raw.headers,
    body: EMPTY,
    raw,
    warnings,
    context: {
      user,
      userAgent: raw.headers['user-agent'] ?? '',
      sourceIp: raw.socket.remoteAddress ?? '',
      auditId: deps.random.uuid(),
      receivedAt: deps.clock.now(),
      signal,
      warn: (message) => {
        warnings.add(message);
      },
    },
    setUser: () => undefined,
    abort: () => undefined,
  };
}

/** Answers an upgrade that was refused, as a plain response on the raw socket. */
function refuse(socket: Duplex, error: StatusError): void {
  const body = Buffer.from(JSON.stringify(error.status));
  const head = [
    `HTTP/1.1 ${error.code} ${error.reason || 'Error'}`,
    'content-type: application/json',
    `content-length: ${body.length}`,
    'connection: close',
  ].join('\r\n');
  socket.end(Buffer.concat([Buffer.from(`${head}\r\n\r\n`), body]));
}

async function upgrade(
  raw: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  deps: UpgradeDeps,
): Promise<void> {
  const { authenticator, authorizer, subresources } = deps.extensions;
  const url = new URL(raw.url ?? '/', 'https://localhost');
  const input = { raw, headers: raw.headers, query: url.searchParams };
  const user = await identify(authenticator, input, deps.options.anonymousAuth);
  const gone = new AbortController();
  socket.once('close', () => {
    gone.abort(new Error('the client has gone'));
  });
  const request = upgradeRequest(raw, user, gone.signal, deps);
  const { info } = request;
  await checkAllowed(authorizer, user, info);
  const resource = deps.catalog.find(info.group, info.version, info.resource);
  const handler = subresources.find(
    (known) =>
      known.group === info.group &&
      known.version === info.version &&
      known.resource === info.resource &&
      known.subresource === info.subresource,
  );
  if (!resource || !handler?.upgrade)
    throw newNotFound({ group: info.group, resource: info.resource }, info.name);
  const { admission } = deps.extensions;
  await admitConnect({ request, kind: resource.kind, handler }, admission);
  await handler.upgrade({ request, kind: resource.kind, socket, head });
}

/** Hands `Connection: Upgrade` requests to the subresource that takes them, after authentication and authorization. */
export function serveUpgrades(server: Server, deps: UpgradeDeps): void {
  server.on('upgrade', (raw: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => {
      socket.destroy();
    });
    upgrade(raw, socket, head, deps).catch((error: unknown) => {
      const failure = toApiError(error);
      if (failure.code >= 500) deps.logger.error('upgrade failed', error, { path: raw.url ?? '' });
      refuse(socket, failure);
    });
  });
}
