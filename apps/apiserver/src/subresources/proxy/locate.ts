import { newBadRequest, newServiceUnavailable } from '@orrery/apimachinery';
import type { EndpointAddress, Endpoints, Pod, Service } from '@orrery/api';
import { joinHostPort, reachablePort } from '@orrery/component';
import type { ServerServices } from '../../extensions.js';
import { kubeletBackend } from '../backend.js';
import type { Backend } from '../backend.js';
import type { DialPolicy } from '../dial-policy.js';
import type { KubeletLocator, KubeletTls } from '../kubelet-location.js';
import { readPod } from '../pod-access.js';

export interface ProxyDeps {
  readonly services: ServerServices;
  readonly locator: KubeletLocator;
  readonly tls: KubeletTls;
  readonly policy: DialPolicy;
}

/** Where a proxied request goes. */
export interface Target {
  readonly backend: Backend;
  /** `host:port` as the cluster knows it; where this machine refuses a port the back-end listens on another. */
  readonly host: string;
}

export interface ProxyName {
  readonly scheme: 'http' | 'https';
  readonly name: string;
  readonly port: string;
}

/** Splits `[scheme:]name[:port]` (k8s apimachinery pkg/util/net/port_split.go:SplitSchemeNamePort); undefined = it is no such name. */
export function parseProxyName(id: string): ProxyName | undefined {
  const parts = id.split(':');
  const [first = '', second = '', third = ''] = parts;
  const [scheme, name, port] = parts.length === 3 ? [first, second, third] : ['', first, second];
  const isKnown = ['', 'http', 'https'].includes(scheme);
  if (parts.length > 3 || !isKnown || name === '') return undefined;
  return { scheme: scheme === 'https' ? 'https' : 'http', name, port };
}

interface Place {
  readonly scheme: 'http' | 'https';
  readonly ip: string;
  readonly port: number;
}

async function target({ policy }: ProxyDeps, { scheme, ip, port }: Place): Promise<Target> {
  const address = await policy.resolve(ip);
  if (address === undefined) throw newBadRequest('address not allowed');
  const backend = { scheme, address, port: reachablePort(port) };
  return { backend, host: joinHostPort(ip, port) };
}

export type Locate = (deps: ProxyDeps, namespace: string, id: string) => Promise<Target>;

function parsed(kind: string, id: string): ProxyName {
  const name = parseProxyName(id);
  if (!name) throw newBadRequest(`invalid ${kind} request ${JSON.stringify(id)}`);
  return name;
}

/** k8s pkg/registry/core/pod/strategy.go:ResourceLocation; ports go by their names, too. */
const locatePod: Locate = async (deps, namespace, id) => {
  const { scheme, name, port } = parsed('pod', id);
  const pod = await readPod(deps.services, namespace, name);
  const ip = pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP;
  if (!ip) throw newBadRequest('address not allowed');
  const ports = pod.spec?.containers.flatMap((container) => container.ports ?? []) ?? [];
  const known = port === '' ? ports[0] : ports.find((one) => one.name === port);
  const number = known?.containerPort ?? Number(port || (scheme === 'https' ? 443 : 80));
  if (!Number.isInteger(number)) throw newBadRequest(`invalid port ${JSON.stringify(port)}`);
  return target(deps, { scheme, ip, port: number });
};

/** Endpoints lead to pods of their own namespace alone (k8s pkg/registry/core/service/storage:isValidAddress). */
async function leadsToItsPod(
  { services }: ProxyDeps,
  namespace: string,
  { ip, targetRef }: EndpointAddress,
): Promise<boolean> {
  if (targetRef?.namespace !== namespace || !targetRef.name) return false;
  const pod: Pod | undefined = await readPod(services, namespace, targetRef.name).catch(
    () => undefined,
  );
  return pod?.status?.podIPs?.some((one) => one.ip === ip) ?? false;
}

/** `items` from a random one on, round once. */
function fromAnyOn<T>(items: readonly T[], { services }: ProxyDeps): T[] {
  const start = Math.floor(services.random.next() * items.length);
  return [...items.slice(start), ...items.slice(0, start)];
}

async function portNameOf(
  deps: ProxyDeps,
  namespace: string,
  { name, port }: ProxyName,
): Promise<string> {
  const service = (await deps.services.store('', 'v1', 'services').get(namespace, name))
    .object as Service;
  if (!/^[+-]?\d+$/.test(port)) return port;
  const found = service.spec?.ports?.find((one) => one.port === Number(port));
  if (found) return found.name ?? '';
  throw newServiceUnavailable(
    `no service port ${Number(port)} found for service ${JSON.stringify(name)}`,
  );
}

/** k8s pkg/registry/core/service/storage/storage.go:ResourceLocation. */
const locateService: Locate = async (deps, namespace, id) => {
  const asked = parsed('service', id);
  const { scheme, name } = asked;
  const portName = await portNameOf(deps, namespace, asked);
  const endpoints = (await deps.services.store('', 'v1', 'endpoints').get(namespace, name))
    .object as Endpoints;
  const subsets = endpoints.subsets ?? [];
  if (subsets.length === 0)
    throw newServiceUnavailable(`no endpoints available for service ${JSON.stringify(name)}`);
  for (const { addresses, ports } of fromAnyOn(subsets, deps)) {
    const port = (ports ?? []).find((one) => (one.name ?? '') === portName)?.port;
    if (port === undefined) continue;
    for (const address of fromAnyOn(addresses ?? [], deps))
      if (await leadsToItsPod(deps, namespace, address))
        return target(deps, { scheme, ip: address.ip, port });
  }
  throw newServiceUnavailable(`no endpoints available for service ${JSON.stringify(id)}`);
};

/** k8s pkg/registry/core/node/strategy.go:ResourceLocation. */
const locateNode: Locate = async (deps, _namespace, id) => {
  const { scheme, name, port } = parsed('node', id);
  const kubelet = await deps.locator.locate(name);
  if (port !== '' && Number(port) !== kubelet.port)
    return target(deps, { scheme, ip: kubelet.address, port: Number(port) });
  const { address } = kubelet;
  return { backend: kubeletBackend(kubelet, deps.tls), host: joinHostPort(address, kubelet.port) };
};

export const LOCATE: Readonly<Record<'pods' | 'services' | 'nodes', Locate>> = {
  pods: locatePod,
  services: locateService,
  nodes: locateNode,
};
