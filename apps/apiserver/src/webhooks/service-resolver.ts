import { isNotFound } from '@orrery/apimachinery';
import type { Endpoints, Service } from '@orrery/api';
import type { Random } from '@orrery/component';
import { reachablePort } from '@orrery/component';
import type { ResourceStore } from '@orrery/registry';
import type { ServerServices } from '../extensions.js';
import type { DialPolicy } from '../subresources/dial-policy.js';
import { dialPolicyOf } from '../subresources/dial-policy.js';
import { HookError } from './https-post.js';

export interface ServiceResolverDeps {
  store(this: void, group: string, version: string, plural: string): ResourceStore;
  readonly random: Random;
  readonly policy: DialPolicy;
  /** This server's own address, which stands for the Service default/kubernetes. */
  readonly self: { readonly host: string; readonly port: number };
  /** --enable-aggregator-routing: an endpoint of the Service in place of its cluster IP. */
  readonly toEndpoints: boolean;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Finds where a Service answers (k8s kube-aggregator pkg/apiserver/resolvers.go); throws HookError in upstream's words. */
export class ServiceResolver {
  constructor(private readonly deps: ServiceResolverDeps) {}

  async resolve(namespace: string, name: string, port: number): Promise<Address> {
    if (namespace === 'default' && name === 'kubernetes' && port === 443) return this.deps.self;
    const service = await this.read<Service>('services', namespace, name, 'service');
    if (service.spec?.type === 'ExternalName') return this.external(service, port);
    const found = (service.spec?.ports ?? []).find((one) => one.port === port);
    if (!found) throw new HookError(`no service port ${port} found for service ${quoted(name)}`);
    if (this.deps.toEndpoints) return this.endpoint(namespace, name, found.name ?? '');
    const clusterIp = service.spec?.clusterIP || 'None';
    if (clusterIp === 'None') throw new HookError('cannot route to service with ClusterIP "None"');
    return this.checked(clusterIp, reachablePort(port));
  }

  private external({ spec }: Service, port: number): Promise<Address> {
    if (this.deps.toEndpoints) throw new HookError('unsupported service type "ExternalName"');
    return this.checked(spec?.externalName ?? '', port);
  }

  private async endpoint(namespace: string, name: string, portName: string): Promise<Address> {
    const found = await this.read<Endpoints>('endpoints', namespace, name, 'endpoints');
    const all = (found.subsets ?? []).flatMap((subset) => {
      const port = (subset.ports ?? []).find((one) => (one.name ?? '') === portName)?.port;
      return port === undefined
        ? []
        : (subset.addresses ?? []).map(({ ip }) => ({ host: ip, port }));
    });
    const picked = all[Math.floor(this.deps.random.next() * all.length)];
    if (!picked) throw new HookError(`no endpoints available for service ${quoted(name)}`);
    return this.checked(picked.host, reachablePort(picked.port));
  }

  /** No address that the dial policy forbids, whoever wrote it (CVE-2021-25740). */
  private async checked(host: string, port: number): Promise<Address> {
    let address: string | undefined;
    try {
      address = await this.deps.policy.resolve(host);
    } catch {
      throw new HookError(`address ${host} is not allowed`);
    }
    if (address === undefined) throw new HookError(`dial tcp: lookup ${host}: no such host`);
    return { host: address, port };
  }

  private async read<T>(plural: string, namespace: string, name: string, what: string): Promise<T> {
    try {
      const { object } = await this.deps.store('', 'v1', plural).get(namespace, name);
      return object as T;
    } catch (error) {
      if (isNotFound(error)) throw new HookError(`${what} ${quoted(name)} not found`);
      throw error;
    }
  }
}

/** The resolver of a server. */
export function createServiceResolver(services: ServerServices): ServiceResolver {
  const { options, random } = services;
  const host = options.advertiseAddress ?? options.bindAddress;
  return new ServiceResolver({
    store: (group, version, plural) => services.store(group, version, plural),
    random,
    policy: dialPolicyOf(options),
    self: { host: host === '0.0.0.0' ? '127.0.0.1' : host, port: options.securePort },
    toEndpoints: options.enableAggregatorRouting,
  });
}

const quoted = (text: string): string => JSON.stringify(text);
