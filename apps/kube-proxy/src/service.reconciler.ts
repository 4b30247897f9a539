import type { EndpointSlice, Node, Service } from '@orrery/api';
import type { ObjectKey } from '@orrery/apimachinery';
import { toKeyString } from '@orrery/apimachinery';
import type { Logger } from '@orrery/component';
import { done } from '@orrery/controller';
import type { Reconciler, Result } from '@orrery/controller';
import type { PolicyName } from '@orrery/dataplane';
import type { Lister } from '@orrery/informers';
import type { Programmer } from './programming/programmer.js';
import { serviceRules, unservedParts } from './rules/service-rules.js';
import type { RuleContext } from './rules/service-rules.js';

/** Name of the EndpointSlice index by service key. */
export const BY_SERVICE = 'service';

export interface ServiceReconcilerOptions {
  readonly nodeName: string;
  readonly policy: PolicyName;
  readonly services: Lister<Service>;
  /** Indexed {@link BY_SERVICE}. */
  readonly slices: Lister<EndpointSlice>;
  readonly nodes: Lister<Node>;
  readonly programmer: Pick<Programmer, 'set' | 'setSources' | 'complete'>;
  readonly logger: Logger;
}

const internalIps = (node: Node): string[] =>
  (node.status?.addresses ?? []).filter((a) => a.type === 'InternalIP').map((a) => a.address);

/**
 * Keeps the desired rules of each service equal to what the cache says. A key without namespace is this node: its
 * addresses decide the node ports of every service, and nothing is programmed before they are known.
 */
export class ServiceReconciler implements Reconciler {
  private context: RuleContext | undefined;
  private readonly unserved = new Map<string, string>();

  constructor(private readonly options: ServiceReconcilerOptions) {}

  reconcile(key: ObjectKey): Promise<Result> {
    if (key.namespace === undefined) this.reconcileNode(key);
    else this.reconcileService(key);
    return Promise.resolve(done);
  }

  private reconcileNode(key: ObjectKey): void {
    const { nodes, nodeName, policy, programmer, services } = this.options;
    const node = nodes.get(key);
    const nodeAddresses = node ? internalIps(node) : [];
    if (!node || nodeAddresses.length === 0) return;
    const known = this.context?.nodeAddresses.join() === nodeAddresses.join();
    this.context = { nodeName, nodeAddresses, policy };
    programmer.setSources([...nodeAddresses, ...(node.spec.podCIDR ? [node.spec.podCIDR] : [])]);
    if (known) return;
    for (const service of services.list()) {
      const { namespace = '', name = '' } = service.metadata;
      this.reconcileService({ namespace, name });
    }
    programmer.complete();
  }

  private reconcileService(key: ObjectKey): void {
    if (!this.context) return;
    const { services, slices, programmer } = this.options;
    const text = toKeyString(key);
    const service = services.get(key);
    if (!service) {
      this.unserved.delete(text);
      programmer.set(text, []);
      return;
    }
    this.reportUnserved(text, service);
    programmer.set(text, serviceRules(service, slices.byIndex(BY_SERVICE, text), this.context));
  }

  private reportUnserved(key: string, service: Service): void {
    const parts = unservedParts(service).join('; ');
    if (this.unserved.get(key) === parts) return;
    this.unserved.set(key, parts);
    if (parts !== '')
      this.options.logger.warn('part of a service is not served', { service: key, parts });
  }
}
