import type { ApiRequest } from '../../filters/api-request.js';
import type { SubresourceHandler } from '../../subresources.js';
import { exchange, unreachable } from '../backend.js';
import { forwardedHeaders, upgradeHeaders } from '../forwarded-headers.js';
import { refuseUpgrade, relayUpgrade } from '../relay-upgrade.js';
import { LOCATE } from './locate.js';
import type { ProxyDeps, Target } from './locate.js';
import { writeProxied } from './proxied-answer.js';

const UP_TO_PROXY = /^\/+api\/+v1\/+(?:namespaces\/+[^/]+\/+)?[^/]+\/+[^/]+\/+proxy/;

/** The request's path split behind `/proxy`, and its query as it was sent. */
function splitPath({ path, raw }: Pick<ApiRequest, 'path' | 'raw'>): Parts {
  const [own = ''] = UP_TO_PROXY.exec(path) ?? [];
  const url = raw.url ?? '';
  const mark = url.indexOf('?');
  return { own, rest: path.slice(own.length), query: mark < 0 ? '' : url.slice(mark) };
}

interface Parts {
  readonly own: string;
  /** '' or what begins with a slash. */
  readonly rest: string;
  /** '' or with its question mark. */
  readonly query: string;
}

/** The client's own Host, and its address behind those of proxies before this one, as Go's ReverseProxy sends them. */
function originHeaders({
  headers,
  context,
}: Pick<ApiRequest, 'headers' | 'context'>): Record<string, string> {
  const before = headers['x-forwarded-for'];
  const from = context.sourceIp ?? '';
  const authority = headers[':authority'];
  return {
    host: headers.host ?? (typeof authority === 'string' ? authority : ''),
    'x-forwarded-for': before === undefined ? from : `${String(before)}, ${from}`,
  };
}

/** Links of a page at `…/proxy` would lead out of it (k8s apimachinery pkg/util/proxy/upgradeaware.go:proxyRedirectsforRootPath). */
function redirectToRoot({ reply, method, basePath, path }: ApiRequest, query: string): void {
  if (method !== 'GET' && method !== 'HEAD') return;
  const own = reply.getHeaders();
  reply.hijack();
  const location = `${basePath}${path}/${query}`;
  reply.raw.writeHead(301, { ...own, location, 'content-length': 0 });
  reply.raw.end();
}

async function pass({ backend, host }: Target, request: ApiRequest, parts: Parts): Promise<void> {
  const prefix = `${request.basePath}${parts.own}`;
  const origin = originHeaders(request);
  const asked = {
    method: request.method,
    path: `${parts.rest || '/'}${parts.query}`,
    headers: {
      ...forwardedHeaders(request.headers),
      ...origin,
      'content-length': request.body.length,
      'x-forwarded-uri': `${prefix}${parts.rest}`,
    },
    signal: request.context.signal,
  };
  const answer = await exchange(backend, asked, request.body, unreachable);
  const own = request.reply.getHeaders();
  request.reply.hijack();
  const page = { prefix, hosts: [host, origin['host'] ?? ''], own };
  writeProxied(answer, request.reply.raw, page, request.method !== 'HEAD');
}

/** pods/proxy, services/proxy and nodes/proxy: HTTP of any method, and upgrades, to the object's own address. */
export function proxyHandler(
  resource: 'pods' | 'services' | 'nodes',
  deps: ProxyDeps,
): SubresourceHandler {
  const kinds = {
    pods: 'PodProxyOptions',
    services: 'ServiceProxyOptions',
    nodes: 'NodeProxyOptions',
  };
  const locate = LOCATE[resource];
  return {
    group: '',
    version: 'v1',
    resource,
    subresource: 'proxy',
    kind: { kind: kinds[resource] },
    verbs: ['get', 'create', 'update', 'patch', 'delete'],
    methods: ['OPTIONS'],
    async handle({ request }) {
      const parts = splitPath(request);
      const target = await locate(deps, request.info.namespace, request.info.name);
      if (parts.rest === '') redirectToRoot(request, parts.query);
      if (!request.reply.sent) await pass(target, request, parts);
      return undefined;
    },
    async upgrade(context) {
      const { request } = context;
      try {
        const { rest, query } = splitPath(request);
        const { backend } = await locate(deps, request.info.namespace, request.info.name);
        await relayUpgrade(context, backend, {
          method: request.method,
          path: `${rest || '/'}${query}`,
          headers: { ...upgradeHeaders(request.headers), ...originHeaders(request) },
        });
      } catch (error) {
        refuseUpgrade(context.socket, error);
      }
    },
  };
}
