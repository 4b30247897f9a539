import type { Lease, Node } from '@orrery/api';
import { resources } from '@orrery/api';
import { isConflict, isNotFound } from '@orrery/apimachinery';
import type { KubeClient } from '@orrery/client';
import { toMicroTime } from '@orrery/component';
import type { Clock, Logger } from '@orrery/component';

const NAMESPACE = 'kube-node-lease';
const RETRY_MS = 1_000;

/** Whoever writes without saying who manages what leaves that as it is. */
function withoutManagers(lease: Lease): Lease {
  delete lease.metadata.managedFields;
  return lease;
}

/** The node's heartbeat: Lease `kube-node-lease/<node>`, renewed four times in its duration (k8s component-helpers/apimachinery/lease). */
export class NodeLease {
  private lease: Lease | undefined;

  constructor(
    private readonly client: KubeClient,
    private readonly options: { readonly nodeName: string; readonly nodeLeaseSeconds: number },
    private readonly node: () => Node | undefined,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  async start(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const periodMs = (this.options.nodeLeaseSeconds / 4) * 1000;
      const renewed = await this.tryRenew(signal);
      const waitMs = renewed ? periodMs : Math.min(periodMs, RETRY_MS);
      await this.clock.sleep(waitMs, signal).catch(() => undefined);
    }
  }

  /** Renews once; false when that failed. */
  async tryRenew(signal: AbortSignal): Promise<boolean> {
    try {
      await this.renew();
      return true;
    } catch (error) {
      this.lease = undefined;
      if (!signal.aborted)
        this.logger.warn('lease not renewed', {
          node: this.options.nodeName,
          error: String(error),
        });
      return false;
    }
  }

  private async renew(): Promise<void> {
    const leases = this.client.resource(resources.leases);
    const key = { namespace: NAMESPACE, name: this.options.nodeName };
    try {
      this.lease ??= withoutManagers(await leases.get(key));
      this.lease = withoutManagers(await leases.update(this.renewed(this.lease)));
    } catch (error) {
      this.lease = undefined;
      if (isConflict(error)) return this.renew();
      if (!isNotFound(error)) throw error;
      const fresh = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { ...key } };
      this.lease = withoutManagers(await leases.create(this.renewed({ ...fresh, spec: {} })));
    }
    return undefined;
  }

  private renewed(lease: Lease): Lease {
    const node = this.node();
    const owners = lease.metadata.ownerReferences ?? [];
    const owner = {
      apiVersion: 'v1',
      kind: 'Node',
      name: this.options.nodeName,
      uid: node?.metadata.uid ?? '',
    };
    return {
      ...lease,
      metadata: {
        ...lease.metadata,
        ...(owners.length === 0 && node ? { ownerReferences: [owner] } : {}),
      },
      spec: {
        ...lease.spec,
        holderIdentity: this.options.nodeName,
        leaseDurationSeconds: this.options.nodeLeaseSeconds,
        renewTime: toMicroTime(this.clock.now()),
      },
    };
  }
}
