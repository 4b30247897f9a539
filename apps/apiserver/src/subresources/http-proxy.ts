import { newBadRequest, newNotFound, newServiceUnavailable } from '@orrery/apimachinery';
import type { Endpoints, Pod, Service } from '@orrery/api';
import { reachablePort } from '@orrery/component';
import type { ServerServices } from '../extensions.js';
import type { ApiRequest } from '../filters/api-request.js';
import type { SubresourceHandler } from '../subresources.js';
import { exchange, kubeletBackend } from './backend.js';
import type { Backend } from './backend.js';
import type { DialPolicy } from './dial-policy.js';
import { endToEndHeaders, forwardedHeaders, upgradeHeaders } from './forwarded-headers.js';
import type { KubeletLocator, KubeletTls } from './kubelet-location.js';
import { readPod } from './pod-access.js';
import { refuseUpgrade, relayUpgrade } from './relay-upgrade.js';

export interface ProxyDeps {
  readonly services: ServerServices;
  readonly locator: KubeletLocator;
  readonly tls: KubeletTls;
  readonly policy: DialPolicy;
}

interface ProxyName {
  readonly scheme: 'http' | 'https';
  readonly name: string;
  readonly port: string;
}

/** Splits `[scheme:]name[:port]` (k8s apimachinery util/net/port_split.go). */
export function parseProxyName(id: string): ProxyName {
  const parts = id.split(':');
  if (parts.length > 3) throw newBadRequest(`invalid proxy request ${JSON.stringify(id)}`);
  const [first = '', second = '', third = ''] = parts;
  if (parts.length === 3) {
    if (first !== '' && first !== 'http' && first !== 'https')
      throw newBadRequest(`invalid proxy request ${JSON.stringify(id)}`);
    return { scheme: first === 'https' ? 'https' : 'http', name: second, port: third };
  }
  return { scheme: 'http', name: first, port: second };
}

async function target(
  deps: ProxyDeps,
  { scheme, host, port }: { scheme: 'http' | 'https'; host: string; port: number },
): Promise<Backend> {
  const address = await deps.policy.resolve(host);
  if (address === undefined) throw newBadRequest(`cannot resolve ${host}`);
  return { scheme, address, port: reachablePort(port) };
}

type Locate = (deps: ProxyDeps, namespace: string, id: string) => Promise<Backend>;

const locatePod: Locate = async (deps, namespace, id) => {
  const { scheme, name, port } = parseProxyName(id);
  const pod: Pod = await readPod(deps.services, namespace, name);
  const host = pod.status?.podIP;
  if (!host) throw newServiceUnavailable(`pod ${name} has no IP address`);
  const ports = pod.spec?.containers.flatMap((container) => container.ports ?? []) ?? [];
  const wanted =
    port === '' ? ports[0]?.containerPort : ports.find((p) => p.name === port)?.containerPort;
  const number = wanted ?? Number(port || 80);
  if (!Number.isInteger(number)) throw newBadRequest(`invalid port ${JSON.stringify(port)}`);
  return target(deps, { scheme, host, port: number });
};

const locateService: Locate = async (deps, namespace, id) => {
  const { scheme, name, port } = parseProxyName(id);
  const service = (await deps.services.store('', 'v1', 'services').get(namespace, name))
    .object as Service;
  const ports = service.spec?.ports ?? [];
  const chosen =
    port === '' ? ports[0] : ports.find((one) => one.name === port || String(one.port) === port);
  if (!chosen || (port === '' && ports.length !== 1))
    throw newServiceUnavailable(
      `no service port ${JSON.stringify(port)} found for service ${JSON.stringify(name)}`,
    );
  const endpoints = (await deps.services.store('', 'v1', 'endpoints').get(namespace, name))
    .object as Endpoints;
  const candidates = (endpoints.subsets ?? []).flatMap((subset) => {
    const found = (subset.ports ?? []).find((one) => (one.name ?? '') === (chosen.name ?? ''));
    return found ? (subset.addresses ?? []).map(({ ip }) => ({ host: ip, port: found.port })) : [];
  });
  const picked = candidates[Math.floor(deps.services.random.next() * candidates.length)];
  if (!picked)
    throw newServiceUnavailable(`no endpoints available for service ${JSON.stringify(name)}`);
  return target(deps, { scheme, ...picked });
};

const locateNode: Locate = async (deps, _namespace, id) => {
  const { scheme, name, port } = parseProxyName(id);
  if (name === '') throw newNotFound({ group: '', resource: 'nodes' }, id);
  const kubelet = await deps.locator.locate(name);
  if (port === '' || Number(port) === kubelet.port) return kubeletBackend(kubelet, deps.tls);
  return target(deps, { scheme, host: kubelet.address, port: Number(port) });
};

const LOCATE: Readonly<Record<'pods' | 'services' | 'nodes', Locate>> = {
  pods: locatePod,
  services: locateService,
  nodes: locateNode,
};

/** What follows `/proxy` in the request's path, with the query. */
function restOf(request: Pick<ApiRequest, 'path' | 'query'>): string {
  const [, rest = ''] =
    /\/proxy(\/.*)?$/.exec(request.path.replace(/^(.*?\/proxy)/, '/proxy')) ?? [];
  const query = request.query.toString();
  return `${rest || '/'}${query ? `?${query}` : ''}`;
}

async function pass(backend: Backend, request: ApiRequest): Promise<void> {
  const answer = await exchange(
    backend,
    {
      method: request.method,
      path: restOf(request),
      headers: {
        ...forwardedHeaders(request.headers),
        host: `${backend.address}:${backend.port}`,
        'content-length': request.body.length,
        'x-forwarded-uri': `${request.basePath}${request.path}`,
        'x-forwarded-host': request.headers.host ?? '',
        'x-forwarded-proto': 'https',
      },
      signal: request.context.signal,
    },
    request.body,
  );
  const { raw } = request.reply;
  request.reply.hijack();
  raw.writeHead(answer.statusCode ?? 502, endToEndHeaders(answer.headers));
  raw.once('close', () => answer.destroy());
  answer.once('error', () => raw.destroy());
  answer.pipe(raw);
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
    async handle({ request }) {
      await pass(await locate(deps, request.info.namespace, request.info.name), request);
      return undefined;
    },
    async upgrade(context) {
      const { request } = context;
      try {
        const backend = await locate(deps, request.info.namespace, request.info.name);
        await relayUpgrade(context, backend, {
          method: request.method,
          path: restOf(request),
          headers: {
            ...upgradeHeaders(request.headers),
            host: `${backend.address}:${backend.port}`,
          },
        });
      } catch (error) {
        refuseUpgrade(context.socket, error);
      }
    },
  };
}
