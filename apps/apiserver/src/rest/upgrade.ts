import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { StatusError, newNotFound } from '@orrery/apimachinery';
import { endSocket } from '@orrery/component';
import type { Clock, Logger, Random, ResponseOrder } from '@orrery/component';
import type { UserInfo } from '@orrery/registry';
import type { ApiServerOptions } from '../config/options.js';
import type { Audit } from '../audit/audit.js';
import type { ServerExtensions } from '../extensions.js';
import type { ApiRequest } from '../filters/api-request.js';
import { identify } from '../filters/authentication.guard.js';
import { checkAllowed } from '../filters/authorization.guard.js';
import { parseRequestInfo } from '../filters/request-info.js';
import { toApiError } from '../filters/to-api-error.js';
import type { LogicalCluster } from '../logical-clusters/logical-cluster.js';
import type { LogicalClusters } from '../logical-clusters/logical-clusters.js';
import { admitConnect } from './admit-subresource.js';
import type { ResourceCatalog } from './resource-catalog.js';
import { isWebSocketStream, serveWebSocket } from '../transport/websocket.js';

export interface UpgradeDeps {
  readonly catalog: ResourceCatalog;
  readonly extensions: ServerExtensions;
  readonly clusters: LogicalClusters;
  readonly options: ApiServerOptions;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly audit?: Audit;
  readonly order: ResponseOrder;
}

const EMPTY = Buffer.alloc(0);

type UpgradeRequest = Omit<ApiRequest, 'reply' | 'setSentAbout'>;

function upgradeRequest(
  raw: IncomingMessage,
  url: URL,
  { user, signal }: { readonly user: UserInfo; readonly signal: AbortSignal },
  deps: UpgradeDeps,
): UpgradeRequest {
  const method = raw.method ?? 'GET';
  const warnings = new Set<string>();
  return {
    info: parseRequestInfo(method, url.pathname, url.searchParams),
    method,
    path: url.pathname,
    basePath: '',
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
  endSocket(socket, Buffer.concat([Buffer.from(`${head}\r\n\r\n`), body]));
}

/** Hands the upgrade to the subresource of `cluster` that takes it. */
async function connect(
  request: UpgradeRequest,
  { catalog, extensions }: Pick<LogicalCluster, 'catalog' | 'extensions'>,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const { info } = request;
  const { authorizer, subresources, aggregator } = extensions;
  await checkAllowed(authorizer, request.context.user, info, request.context);
  if (await aggregator?.upgrade({ request, socket, head })) return;
  const resource = catalog.find(info.group, info.version, info.resource);
  const handler = subresources.find(
    (known) =>
      known.group === info.group &&
      known.version === info.version &&
      known.resource === info.resource &&
      known.subresource === info.subresource,
  );
  if (!resource || !handler?.upgrade)
    throw newNotFound({ group: info.group, resource: info.resource }, info.name);
  await admitConnect({ request, kind: resource.kind, handler }, extensions.admission);
  await handler.upgrade({ request, kind: resource.kind, socket, head });
}

async function upgrade(
  raw: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  deps: UpgradeDeps,
): Promise<void> {
  const { clusters, extensions, options } = deps;
  const url = new URL(raw.url ?? '/', 'https://localhost');
  const input = { raw, headers: raw.headers, query: url.searchParams };
  const gone = new AbortController();
  socket.once('close', () => {
    gone.abort(new Error('the client has gone'));
  });
  const { signal } = gone;
  const path = clusters.find(url.pathname);
  if (!path) {
    const user = await identify(extensions.authenticator, input, options);
    const request = upgradeRequest(raw, url, { user, signal }, deps);
    await connect(deps.audit?.followUpgrade(request, socket) ?? request, deps, socket, head);
    return;
  }
  const info = parseRequestInfo(raw.method ?? 'GET', url.pathname, url.searchParams);
  const user = await clusters.admit(path, info, input);
  const outer = upgradeRequest(raw, url, { user, signal }, deps);
  const { method, query } = outer;
  const request = {
    ...outer,
    path: path.inside || '/',
    basePath: path.basePath,
    info: parseRequestInfo(method, path.inside || '/', query),
  };
  await clusters.inside(path, outer, (cluster) => connect(request, cluster, socket, head));
}

/** Where a client may ask for another protocol; elsewhere its wish is passed over and the request served as it is. */
function mayUpgrade({ url = '/', method = 'GET' }: IncomingMessage, deps: UpgradeDeps): boolean {
  const { pathname, searchParams } = new URL(url, 'https://localhost');
  if (deps.clusters.find(pathname)) return true;
  const info = parseRequestInfo(method, pathname, searchParams);
  if (!info.isResource) return false;
  const isOurs = deps.catalog.find(info.group, info.version, info.resource) !== undefined;
  return !isOurs || UPGRADABLE.has(info.subresource);
}

const UPGRADABLE = new Set(['exec', 'attach', 'portforward', 'proxy']);

/**
 * Hands `Connection: Upgrade` requests to the subresource that takes them, after authentication and authorization, when
 * the requests that came before on their connections are answered.
 */
export function serveUpgrades(server: Server, deps: UpgradeDeps): void {
  Object.assign(server, {
    shouldUpgradeCallback: (raw: IncomingMessage) => {
      try {
        return isWebSocketStream(raw) || mayUpgrade(raw, deps);
      } catch {
        return false;
      }
    },
  });
  server.on('upgrade', (raw: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => {
      socket.destroy();
    });
    const serve = async (): Promise<void> => {
      if (!(await deps.order.turn(socket))) return;
      if (isWebSocketStream(raw)) await serveWebSocket(server, raw, socket, head);
      else await upgrade(raw, socket, head, deps);
    };
    serve().catch((error: unknown) => {
      const failure = toApiError(error);
      if (failure.code >= 500) deps.logger.error('upgrade failed', error, { path: raw.url ?? '' });
      refuse(socket, failure);
    });
  });
}
