import { resources } from '@orrery/api';
import type { NetworkPolicy, Node, ObjectReference } from '@orrery/api';
import type { Clock, Logger } from '@orrery/component';
import type { ActionRecorder } from '@orrery/controller';
import type { ServiceRule } from '@orrery/dataplane';
import type { InformerFactory } from '@orrery/informers';
import { NO_POLICIES, compilePolicies } from '@orrery/network-policy';
import type { PolicySet, ServiceFrontend } from '@orrery/network-policy';
import { PolicyFilter, filtersBridges } from './policy-filter.js';

/** Where the policies for relayed traffic go: the dataplane. */
export interface PolicySink {
  setPolicies(set: object): Promise<void>;
  untilGone(connected: () => void, signal: AbortSignal): Promise<void>;
}

export interface PolicySyncOptions {
  readonly nodeName: string;
  readonly informers: InformerFactory;
  readonly sink: PolicySink;
  /** What this node's dataplane serves. */
  readonly rules: () => readonly ServiceRule[];
  readonly events: ActionRecorder;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Whoever may answer a client, from inside the cluster or from outside. */
function frontendsOf({ protocol, frontends, backends, inside }: ServiceRule): ServiceFrontend[] {
  const all = [...backends, ...(inside?.backends ?? [])];
  return frontends.map(({ address, port }) => ({ address, port, protocol, backends: all }));
}

const referenceTo = ({
  metadata: { namespace = '', name = '', uid = '' },
}: NetworkPolicy): ObjectReference => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  namespace,
  name,
  uid,
});

/** Says how a node's pods get addresses (apps/cli/src/network/node-report.ts); absent: loopback. */
const NETWORK_ANNOTATION = 'orrery.dev/network';
const SETTLE_MS = 20;
const RETRY_MS = 1_000;
const PEERS = [resources.pods, resources.namespaces, resources.nodes] as const;

/**
 * Keeps NetworkPolicies in force on this node: for Service traffic in the dataplane, for traffic between pods in network
 * namespaces in the packet filter. Pods and namespaces are watched from the first policy on.
 */
export class PolicySync {
  private readonly filters = { 4: new PolicyFilter(4), 6: new PolicyFilter(6) };
  private readonly told = new Set<string>();
  private isWatching = false;
  private isFiltering = false;
  private isDirty = false;
  private sent = '';
  private wake: () => void = () => undefined;

  constructor(private readonly options: PolicySyncOptions) {}

  /** Works until the signal aborts; what is in force stays. */
  async start(signal: AbortSignal): Promise<void> {
    const { informers, clock } = this.options;
    const policies = informers.informer(resources.networkpolicies);
    policies.addHandler({ onAdd: this.changed, onUpdate: this.changed, onDelete: this.changed });
    signal.addEventListener('abort', () => {
      this.wake();
    });
    const following = this.followDataplane(signal);
    await policies.waitForSync(signal).catch(() => undefined);
    while (!signal.aborted) {
      await this.untilDirty();
      // A burst of changes is one change.
      await clock.sleep(SETTLE_MS, signal).catch(() => undefined);
      if (signal.aborted) break;
      this.isDirty = false;
      await this.settle(signal);
    }
    await following;
  }

  /** The rules are others now: where the packet filter is in use, it follows. */
  servicesChanged(): void {
    if (this.isFiltering) this.changed();
  }

  private readonly changed = (): void => {
    this.isDirty = true;
    this.wake();
  };

  private async untilDirty(): Promise<void> {
    if (this.isDirty) return;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
    });
  }

  /** A dataplane that has started anew knows nothing. */
  private async followDataplane(signal: AbortSignal): Promise<void> {
    const { sink, clock } = this.options;
    while (!signal.aborted) {
      const connected = (): void => {
        this.sent = '';
        this.changed();
      };
      await sink.untilGone(connected, signal).catch(() => undefined);
      await clock.sleep(SETTLE_MS, signal).catch(() => undefined);
    }
  }

  private async settle(signal: AbortSignal): Promise<void> {
    const { informers, logger, clock } = this.options;
    try {
      const policies = informers.informer(resources.networkpolicies).lister.list();
      if (policies.length > 0) await this.watchPeers(signal);
      const set = policies.length > 0 ? this.compile(policies) : NO_POLICIES;
      const text = JSON.stringify(set);
      if (text !== this.sent) await this.options.sink.setPolicies(set);
      this.sent = text;
      await this.filter(set);
      this.tellLimits(policies);
    } catch (error) {
      if (signal.aborted) return;
      logger.error('NetworkPolicies are not in force yet; trying again', error);
      clock.after(RETRY_MS, this.changed, { unref: true });
    }
  }

  private async watchPeers(signal: AbortSignal): Promise<void> {
    const { informers } = this.options;
    if (!this.isWatching)
      for (const ref of PEERS)
        informers
          .informer<{ metadata: object }>(ref as never)
          .addHandler({ onAdd: this.changed, onUpdate: this.changed, onDelete: this.changed });
    this.isWatching = true;
    await informers.waitForSync(signal);
  }

  private compile(policies: readonly NetworkPolicy[]): PolicySet {
    const { informers } = this.options;
    return compilePolicies({
      policies,
      pods: informers.informer(resources.pods).lister.list(),
      namespaces: informers.informer(resources.namespaces).lister.list(),
      nodes: informers.informer(resources.nodes).lister.list(),
    });
  }

  private get nodes(): readonly Node[] {
    return this.isWatching ? this.options.informers.informer(resources.nodes).lister.list() : [];
  }

  private get self(): Node | undefined {
    return this.nodes.find(({ metadata }) => metadata.name === this.options.nodeName);
  }

  private get mode(): string {
    return this.self?.metadata.annotations?.[NETWORK_ANNOTATION] ?? 'loopback';
  }

  /** The filter is touched from the first policy on, then to the end, so that it becomes empty as well. */
  private async filter(set: PolicySet): Promise<void> {
    if (this.mode !== 'netns' || (set.pods.length === 0 && !this.isFiltering)) return;
    this.isFiltering = true;
    const podCidrs = this.self?.spec?.podCIDRs ?? [];
    const services = this.options.rules().flatMap(frontendsOf);
    for (const family of [4, 6] as const)
      if (podCidrs.some((cidr) => cidr.includes(':') === (family === 6)))
        await this.filters[family].apply(set, podCidrs, services);
  }

  /** One kube-proxy says it once of each policy: that of the first node by name. */
  private tellLimits(policies: readonly NetworkPolicy[]): void {
    const { nodeName, events } = this.options;
    const first = this.nodes.map(({ metadata }) => metadata.name ?? '').sort()[0];
    const limit = this.limit();
    if (first !== nodeName || limit === undefined) return;
    for (const policy of policies) {
      const uid = policy.metadata.uid ?? '';
      if (this.told.has(uid)) continue;
      this.told.add(uid);
      events.report({
        regarding: referenceTo(policy),
        type: 'Warning',
        reason: 'PartlyEnforced',
        action: 'SyncPolicies',
        note: limit,
      });
    }
  }

  private limit(): string | undefined {
    if (this.mode !== 'netns')
      return `In force for traffic to Services only: in network mode ${this.mode} pods share the node's network, so that traffic to a pod's own address passes, and commands of pods are seen as the node's (orrery up --network netns)`;
    return filtersBridges()
      ? undefined
      : 'Not in force between pods of one node: the kernel does not show bridged packets to iptables (modprobe br_netfilter)';
  }
}
