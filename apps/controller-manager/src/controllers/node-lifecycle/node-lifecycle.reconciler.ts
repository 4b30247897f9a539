import type { ObjectKey } from '@orrery/apimachinery';
import { isNotFound } from '@orrery/apimachinery';
import type { Lease, Node, Pod } from '@orrery/api';
import { resources } from '@orrery/api';
import type { KubeClient } from '@orrery/client';
import type { Clock } from '@orrery/component';
import { toTime } from '@orrery/component';
import { TokenBucket, defineController, done } from '@orrery/controller';
import type { EventRecorder, Reconciler, Result } from '@orrery/controller';
import { BY_NODE } from '@orrery/informers';
import type { Lister } from '@orrery/informers';
import type { ControllerEntry } from '../../controller-entry.js';
import { podInformer } from '../../pods/pod-indexes.js';
import { isReady, isTerminated } from '../../pods/pod-state.js';
import {
  conditionOf,
  healthOf,
  silentConditions,
  wantedTaints,
  wantsEviction,
} from './node-lifecycle.decide.js';
import type { Eviction } from './node-lifecycle.decide.js';
import { createNodeMeters } from './node-lifecycle.metrics.js';
import type { NodeMeters } from './node-lifecycle.metrics.js';
import { judgeZones, zoneOf } from './zones.js';
import type { EvictionLimits } from './zones.js';

const LEASES = 'kube-node-lease';

export interface NodeCaches {
  readonly nodes: Lister<Node>;
  readonly leases: Lister<Lease>;
  readonly pods: Lister<Pod>;
}

export interface NodeMonitoring {
  readonly periodMs: number;
  readonly graceMs: number;
  /** A node that never reported gets this long. */
  readonly startupGraceMs: number;
  readonly limits: EvictionLimits;
  readonly meters: NodeMeters;
}

interface Heard {
  readonly heartbeat: string;
  /** Monotonic: when this heartbeat was first seen. */
  readonly at: number;
}

/** Notices silent nodes, says so in their conditions, taints and pods, at a limited rate. */
export class NodeLifecycleReconciler implements Reconciler {
  readonly #heard = new Map<string, Heard>();
  /** By zone. */
  readonly #buckets = new Map<string, TokenBucket>();
  #isolated = false;

  constructor(
    private readonly caches: NodeCaches,
    private readonly client: KubeClient,
    private readonly events: EventRecorder,
    private readonly clock: Clock,
    private readonly monitoring: NodeMonitoring,
  ) {}

  async reconcile(key: ObjectKey): Promise<Result> {
    const begun = this.clock.monotonic();
    const result = await this.#judge(key.name);
    const took = this.clock.monotonic() - begun;
    if (result !== done) this.monitoring.meters.updated(key.name, took / 1000);
    return result;
  }

  async #judge(name: string): Promise<Result> {
    const node = this.caches.nodes.get({ name });
    if (!node) {
      this.#heard.delete(name);
      return done;
    }
    if (!this.#heard.has(name)) {
      const text = `Node ${name} event: Registered Node ${name} in Controller`;
      this.#announce(node, 'RegisteredNode', text);
      this.monitoring.meters.seen(node);
    }
    const again = { requeueAfterMs: this.monitoring.periodMs };
    if (this.#isSilent(node) && (await this.#declareSilent(node))) return again;
    if (healthOf(node) !== 'Ready') await this.#markPods(node);
    await this.#taint(node);
    return again;
  }

  #isSilent(node: Node): boolean {
    const name = node.metadata.name ?? '';
    const ready = conditionOf(node, 'Ready');
    const lease = this.caches.leases.get({ namespace: LEASES, name });
    const heartbeat = `${lease?.spec.renewTime ?? ''}|${ready?.status === 'Unknown' ? '' : (ready?.lastHeartbeatTime ?? '')}`;
    const now = this.clock.monotonic();
    const heard = this.#heard.get(name);
    if (!heard) {
      this.#heard.set(name, { heartbeat, at: now });
      return false;
    }
    if (heard.heartbeat !== heartbeat) {
      // The status that we set to Unknown ourselves is not a sign of life.
      const ours = heard.heartbeat.startsWith(heartbeat);
      this.#heard.set(name, { heartbeat, at: ours ? heard.at : now });
      if (!ours) return false;
    }
    const { at } = this.#heard.get(name) ?? { at: now };
    return now - at > (ready ? this.monitoring.graceMs : this.monitoring.startupGraceMs);
  }

  async #declareSilent(node: Node): Promise<boolean> {
    const conditions = silentConditions(node, this.clock.now());
    if (!conditions) return false;
    await this.client.resource(resources.nodes).updateStatus({
      ...node,
      status: { ...node.status, conditions },
    });
    const text = `Node ${node.metadata.name} status is now: NodeNotReady`;
    this.#announce(node, 'NodeNotReady', text);
    return true;
  }

  #announce(node: Node, reason: string, text: string): void {
    const { name = '', uid = '' } = node.metadata;
    this.events.event({ kind: 'Node', name, uid }, 'Normal', reason, text);
  }

  /** Pods of a node that is not ready are not ready: Services stop using them. */
  async #markPods(node: Node): Promise<void> {
    const pods = this.caches.pods.byIndex(BY_NODE, node.metadata.name ?? '');
    const client = this.client.resource(resources.pods);
    for (const pod of pods) {
      if (!isReady(pod) || isTerminated(pod)) continue;
      const { namespace = '', name = '', uid } = pod.metadata;
      const lastTransitionTime = toTime(this.clock.now());
      const conditions = [{ type: 'Ready', status: 'False', lastTransitionTime }];
      const patch = { metadata: { uid }, status: { conditions } };
      await client
        .patch({ namespace, name }, 'strategic', patch, { subresource: 'status' })
        .catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
      this.events.event(pod, 'Warning', 'NodeNotReady', 'Node is not ready');
    }
  }

  #evictionOf(node: Node): Eviction {
    const { rates, isolated } = judgeZones(this.caches.nodes.list(), this.monitoring.limits);
    if (this.#isolated && !isolated) this.#hearAnew();
    this.#isolated = isolated;
    if (isolated) return 'never';
    if (!wantsEviction(node)) return 'may';
    const zone = zoneOf(node);
    const rate = rates.get(zone) ?? 0;
    const bucket = this.#buckets.get(zone) ?? new TokenBucket(rate, 1, this.clock);
    this.#buckets.set(zone, bucket);
    bucket.setRate(rate);
    return rate > 0 && bucket.tryTake() ? 'may' : 'wait';
  }

  /** Once some node is heard again, the others get the whole time to be heard, too. */
  #hearAnew(): void {
    const at = this.clock.monotonic();
    for (const [name, { heartbeat }] of this.#heard) this.#heard.set(name, { heartbeat, at });
  }

  async #taint(node: Node): Promise<void> {
    const eviction = this.#evictionOf(node);
    const taints = wantedTaints(node, eviction, this.clock.now());
    if (!taints) return;
    const { name = '', resourceVersion } = node.metadata;
    const patch = { metadata: { resourceVersion }, spec: { taints } };
    await this.client.resource(resources.nodes).patch({ name }, 'merge', patch);
    if (eviction === 'may' && wantsEviction(node)) this.monitoring.meters.evicted(node);
  }
}

export const nodeLifecycleController: ControllerEntry = {
  name: 'node-lifecycle-controller',
  definition: () =>
    defineController('node-lifecycle-controller')
      .for(resources.nodes)
      .watches(resources.leases, ({ metadata: { name = '' } }) => [{ name }], {
        scope: { namespace: LEASES },
        changed: () => false,
      })
      .build(),
  create: ({ client, informers, events, clock, options, metrics }) =>
    new NodeLifecycleReconciler(
      {
        nodes: informers.informer(resources.nodes).lister,
        leases: informers.informer(resources.leases, { namespace: LEASES }).lister,
        pods: podInformer(informers).lister,
      },
      client,
      events('node-controller'),
      clock,
      {
        periodMs: options.nodeMonitorPeriodMs,
        meters: createNodeMeters(metrics, informers.informer(resources.nodes).lister),
        graceMs: options.nodeMonitorGracePeriodMs,
        startupGraceMs: options.zones.startupGraceMs,
        limits: {
          normal: options.nodeEvictionRate,
          secondary: options.zones.secondaryEvictionRate,
          unhealthyThreshold: options.zones.unhealthyThreshold,
          largeClusterSize: options.zones.largeClusterSize,
        },
      },
    ),
};
