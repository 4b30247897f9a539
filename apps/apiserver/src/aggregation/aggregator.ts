import type { ApiRequest } from '../filters/api-request.js';
import type { ServerServices } from '../extensions.js';
import type { HealthCheck } from '@orrery/component';
import type { ClusterViews } from '../live-view/cluster-views.js';
import type { UpgradeContext } from '../subresources.js';
import { createServiceResolver } from '../webhooks/service-resolver.js';
import { ApiServices } from './api-services.js';
import type { RemoteApi } from './api-services.js';
import { followTrust, publishAuthenticationConfig } from './authentication-config.js';
import { AvailabilityController } from './availability.js';
import { ExtensionServers, followProxyIdentity } from './extension-server.js';
import { LocalApiServices } from './local-api-services.js';
import { proxyRequest, proxyUpgrade } from './proxy.js';
import { RemoteDiscovery } from './remote-discovery.js';
import { RemoteDocuments } from './remote-documents.js';

/** Serves the group versions whose APIService names a Service, by passing requests on (k8s kube-aggregator). */
export class Aggregator {
  readonly discovery: RemoteDiscovery;
  private readonly apis: ApiServices;
  private readonly servers: ExtensionServers;
  private readonly local: LocalApiServices;

  constructor(
    private readonly services: ServerServices,
    views: Pick<ClusterViews, 'apiServices'>,
  ) {
    this.apis = new ApiServices(views.apiServices);
    this.servers = new ExtensionServers(
      createServiceResolver(services),
      followProxyIdentity(services),
    );
    const documents = new RemoteDocuments(services, this.apis, this.servers);
    this.local = new LocalApiServices(services, this.apis);
    this.discovery = new RemoteDiscovery(this.apis, documents);
  }

  /** Answers a request of a group version that another server serves; false when it is ours. */
  async serve(request: ApiRequest): Promise<boolean> {
    const remote = this.find(request);
    if (remote) await proxyRequest(this.servers, remote, request);
    return remote !== undefined;
  }

  /** The same for upgrades. */
  async upgrade(context: Omit<UpgradeContext, 'kind'>): Promise<boolean> {
    const remote = this.find(context.request);
    if (remote) await proxyUpgrade(this.servers, remote, context);
    return remote !== undefined;
  }

  /** Whether every built-in group version has its APIService (k8s pkg/controlplane/apiserver/aggregator.go:makeAPIServiceAvailableHealthCheck). */
  checks(): HealthCheck[] {
    const { local } = this;
    return [
      {
        name: 'autoregister-completion',
        check: () => {
          const missing = local.missing();
          return missing.length > 0 ? `missing APIService: [${missing.join(' ')}]` : undefined;
        },
      },
    ];
  }

  /** Named as upstream's post-start hooks. */
  hooks(): { readonly name: string; run(): Promise<void> }[] {
    const { services, apis, local } = this;
    const { signal } = services;
    let isFollowing = false;
    const availability = new AvailabilityController(services, apis, this.servers);
    return [
      {
        name: 'start-cluster-authentication-info-controller',
        run: async () => {
          await publishAuthenticationConfig(services);
          void followTrust(services);
        },
      },
      { name: 'kube-apiserver-autoregistration', run: () => local.register() },
      {
        name: 'apiservice-registration-controller',
        run: () => {
          void local.start(signal);
          return Promise.resolve();
        },
      },
      // One controller tells both sorts.
      ...['local', 'remote'].map((sort) => ({
        name: `apiservice-status-${sort}-available-controller`,
        run: () => {
          if (!isFollowing) void availability.start(signal);
          isFollowing = true;
          return Promise.resolve();
        },
      })),
    ];
  }

  private find({ path }: Pick<ApiRequest, 'path'>): RemoteApi | undefined {
    if (this.apis.remote().length === 0) return undefined;
    const [root, group = '', version = ''] = path.split('/').filter((part) => part !== '');
    return root === 'apis' && version !== '' ? this.apis.find(group, version) : undefined;
  }
}
