import type { Lease, Node } from '@orrery/api';
import { resources } from '@orrery/api';
import { isConflict, isNotFound } from '@orrery/apimachinery';
import type { KubeClient } from '@orrery/client';
import { toMicroTime } from '@orrery/component';
import type { Clock, Logger } from '@orrery/component';

const NAMESPACE = 'kube-node-lease';
const RETRY_MS = 1_000;

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
      let waitMs = (this.options.nodeLeaseSeconds / 4) * 1000;
      try {
        await this.renew();
      } catch (error) {
        if (signal.aborted) return;
        this.lease = undefined;
        waitMs = Math.min(waitMs, RETRY_MS);
        this.logger.warn('lease not renewed', {
          node: this.options.nodeName,
          error: String(error),
        });
      }
      await this.clock.sleep(waitMs, signal).catch(() => undefined);
    }
  }

  private async renew(): Promise<void> {
    const leases = this.client.resource(resources.leases);
    const key = { namespace: NAMESPACE, name: this.options.nodeName };
    try {
      this.lease ??= await leases.get(key);
      this.lease = await leases.update(this.renewed(this.lease));
    } catch (error) {
      this.lease = undefined;
      if (isConflict(error)) return this.renew();
      if (!isNotFound(error)) throw error;
      this.lease = await leases.create(
        this.renewed({
          apiVersion: 'coordination.k8s.io/v1',
          kind: 'Lease',
          metadata: { ...key },
          spec: {},
        }),
      );
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
