import type { EndpointSlice, Node, Service } from '@orrery/api';
import type { ObjectKey } from '@orrery/apimachinery';
import { toKeyString } from '@orrery/apimachinery';
import { done } from '@orrery/controller';
import type { ActionRecorder, Reconciler, Result } from '@orrery/controller';
import type { Lister } from '@orrery/informers';
import type { ProxySettings } from './config/settings.js';
import type { HealthCheckNodePorts } from './health/health-check-node-ports.js';
import type { Programmer } from './programming/programmer.js';
import type { HostBackends } from './rules/host-backends.js';
import { localSources, nodeFacts, nodePortAddresses } from './rules/node-addresses.js';
import type { NodeFacts } from './rules/node-addresses.js';
import { noticesOf } from './rules/notices.js';
import { localEndpoints, serviceRules, withoutLocalEndpoints } from './rules/service-rules.js';
import type { RuleContext } from './rules/service-rules.js';

/** Name of the EndpointSlice index by service key. */
export const BY_SERVICE = 'service';

export interface ServiceReconcilerOptions {
  readonly nodeName: string;
  readonly settings: ProxySettings;
  readonly services: Lister<Service>;
  /** Indexed {@link BY_SERVICE}. */
  readonly slices: Lister<EndpointSlice>;
  readonly nodes: Lister<Node>;
  readonly programmer: Pick<Programmer, 'set' | 'setSources' | 'setMinPeriod' | 'complete'>;
  readonly healthChecks: Pick<HealthCheckNodePorts, 'set'>;
  readonly hosts: Pick<HostBackends, 'of' | 'refusals' | 'setPodRanges' | 'whenKnown'>;
  readonly events: ActionRecorder;
  /** Addresses of this host beside those that the node's status names. */
  readonly hostAddresses: readonly string[];
  readonly reachablePort: (port: number) => number;
  /** Told what the node says of itself. */
  readonly nodeSeen: (facts: NodeFacts) => void;
  /** Told of each change of a service or of its endpoints, with the slices as they are now. */
  readonly changed: (kind: 'service' | 'endpoints', slices: readonly EndpointSlice[]) => void;
  /** Told of the policies Local of a service that find no endpoint on this node. */
  readonly local: (service: string, without: ReturnType<typeof withoutLocalEndpoints>) => void;
}

/**
 * Keeps the desired rules of each service equal to what the cache says. A key without namespace is this node: its
 * addresses decide the node ports of every service, and nothing is programmed before they are known.
 */
export class ServiceReconciler implements Reconciler {
  private settings: ProxySettings;
  private facts: NodeFacts | undefined;
  private context: RuleContext | undefined;
  private readonly noticed = new Map<string, string>();
  private readonly seen = new Map<string, string | undefined>();

  constructor(private readonly options: ServiceReconcilerOptions) {
    this.settings = options.settings;
  }

  reconcile(key: ObjectKey): Promise<Result> {
    if (key.namespace === undefined) this.reconcileNode(key);
    else this.reconcileService(key);
    return Promise.resolve(done);
  }

  /** Other settings: every service is computed anew. */
  apply(settings: ProxySettings): void {
    this.settings = settings;
    if (this.facts) this.renew(this.facts);
  }

  /** What is known about the endpoints of a service has changed. */
  reconsider(service: string): void {
    const [namespace = '', name = ''] = service.split('/');
    this.reconcileService({ namespace, name });
  }

  private reconcileNode(key: ObjectKey): void {
    const { nodes, nodeSeen } = this.options;
    const node = nodes.get(key);
    if (!node) return;
    const facts = nodeFacts(node);
    if (facts.internal.length === 0) return;
    nodeSeen(facts);
    if (JSON.stringify(facts) === JSON.stringify(this.facts)) return;
    this.facts = facts;
    this.renew(facts);
  }

  private renew(facts: NodeFacts): void {
    const { nodeName, hostAddresses, programmer, services, hosts } = this.options;
    const { policy, podRanges, udpIdleMs, minSyncPeriodMs } = this.settings;
    this.context = {
      nodeName,
      zone: facts.zone,
      nodePortAddresses: nodePortAddresses(facts, this.settings.nodePortAddresses),
      ownedAddresses: new Set([...facts.all, ...hostAddresses]),
      policy,
      localSources: localSources(facts, hostAddresses, podRanges),
      ...(udpIdleMs === undefined ? {} : { udpIdleMs }),
    };
    hosts.setPodRanges(podRanges === 'NodeCIDR' ? [] : podRanges);
    programmer.setMinPeriod(minSyncPeriodMs);
    programmer.setSources([...facts.internal, ...facts.podCidrs]);
    for (const service of services.list()) {
      const { namespace = '', name = '' } = service.metadata;
      this.reconcileService({ namespace, name });
    }
    hosts.whenKnown(() => {
      programmer.complete();
    });
  }

  private reconcileService(key: ObjectKey): void {
    const { context } = this;
    if (!context) return;
    const { services, slices, programmer, healthChecks, changed, local, hosts } = this.options;
    const text = toKeyString(key);
    const service = services.get(key);
    const owned = slices.byIndex(BY_SERVICE, text);
    const isNew = this.seen.get(text) !== service?.metadata.resourceVersion;
    changed(isNew ? 'service' : 'endpoints', owned);
    if (!service) {
      this.seen.delete(text);
      this.noticed.delete(text);
      programmer.set(text, []);
      healthChecks.set(text, undefined);
      local(text, []);
      return;
    }
    this.seen.set(text, service.metadata.resourceVersion);
    programmer.set(text, serviceRules(service, owned, { ...context, hostOf: hosts.of(text) }));
    this.tell(text, service, context);
    healthChecks.set(text, this.healthCheck(service, owned, context));
    local(text, withoutLocalEndpoints(service, owned, context));
  }

  private healthCheck(
    service: Service,
    slices: readonly EndpointSlice[],
    context: RuleContext,
  ): Parameters<HealthCheckNodePorts['set']>[1] {
    const { type, externalTrafficPolicy, healthCheckNodePort: port } = service.spec;
    if (type !== 'LoadBalancer' || externalTrafficPolicy !== 'Local' || !port) return undefined;
    return {
      port,
      addresses: context.nodePortAddresses,
      localEndpoints: localEndpoints(service, slices, context),
    };
  }

  /** Each set of notices is told once. */
  private tell(key: string, service: Service, context: RuleContext): void {
    const { hosts, reachablePort } = this.options;
    const notices = noticesOf(service, context, { reachablePort, refused: hosts.refusals(key) });
    const text = notices.map(({ message }) => message).join('; ');
    if ((this.noticed.get(key) ?? '') === text) return;
    this.noticed.set(key, text);
    const regarding = { apiVersion: 'v1', kind: 'Service', metadata: service.metadata };
    for (const { type, reason, message: note } of notices)
      this.options.events.report({ regarding, type, reason, action: 'SyncProxyRules', note });
  }
}
