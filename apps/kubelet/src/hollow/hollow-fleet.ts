import type { Node, Pod } from '@orrery/api';
import { resources } from '@orrery/api';
import { keyOf } from '@orrery/apimachinery';
import type { KubeClient } from '@orrery/client';
import { connect, loadKubeconfig } from '@orrery/client';
import { SystemRandom, createLogger } from '@orrery/component';
import type { Clock, Logger } from '@orrery/component';
import { InformerFactory } from '@orrery/informers';
import { tuningOf } from '../config/node-tuning.js';
import { gateOf } from '../status/gate.js';
import { KubeletMetrics } from '../metrics/kubelet-metrics.js';
import type { HollowFlags } from './hollow-flags.js';
import { HollowNode, ROUND_MS } from './hollow-node.js';
import type { Fleet } from './hollow-node.js';
import { HollowRuntime } from './hollow-runtime.js';
import { Rounds } from './rounds.js';
import { partSharing } from './share-parts.js';

/** Writes of statuses, and of nodes and Leases, at a time, by all nodes together: more would only wait in the client. */
const STATUS_WRITES = 16;
const NODE_WRITES = 16;

/** Hands each change of a pod or node to the node that it is for. */
function dispatch(informers: InformerFactory, nodes: ReadonlyMap<string, HollowNode>): void {
  const onPod = (pod: Pod, gone = false): void => {
    nodes.get(pod.spec.nodeName ?? '')?.onPod(keyOf(pod), gone ? undefined : pod);
  };
  informers.informer(resources.pods).addHandler({
    onAdd: (pod) => {
      onPod(pod);
    },
    onUpdate: (pod) => {
      onPod(pod);
    },
    onDelete: (pod) => {
      onPod(pod, true);
    },
  });
  const observe = (node: Node, gone = false): void => {
    nodes.get(node.metadata.name ?? '')?.agent.observe(gone ? undefined : node);
  };
  informers.informer(resources.nodes).addHandler({
    onAdd: (node) => {
      observe(node);
    },
    onUpdate: (node) => {
      observe(node);
    },
    onDelete: (node) => {
      observe(node, true);
    },
  });
}

export interface FleetContext {
  readonly client: KubeClient;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Runs a fleet over a client of its own. */
export async function runFleet(
  flags: HollowFlags,
  { signal, clock }: Pick<FleetContext, 'signal' | 'clock'>,
): Promise<void> {
  const client = connect(loadKubeconfig(flags.kubeconfig, { userAgent: 'hollow-nodes' }));
  try {
    const logger = createLogger({ component: 'hollow-nodes' });
    await runFleetWith(flags, { client, signal, clock, logger });
  } finally {
    await client.close();
  }
}

/**
 * Many new nodes in one process: one client, one watch of pods, nodes and Services and one timer for all of them; a node
 * that has pods has a kubelet with its pod workers over a runtime in memory.
 */
export async function runFleetWith(
  flags: HollowFlags,
  { client, signal, clock, logger }: FleetContext,
): Promise<void> {
  const random = new SystemRandom();
  const transform = partSharing();
  const informers = new InformerFactory({ client, clock, random, logger, transform });
  informers.informer(resources.services);
  const fleet: Fleet = {
    flags,
    client,
    clock,
    random,
    logger,
    informers,
    tuning: tuningOf({ shutdownFile: '' }),
    metrics: new KubeletMetrics(),
    statusGate: gateOf(STATUS_WRITES),
    nodeGate: gateOf(NODE_WRITES),
    runtime: new HollowRuntime(clock, () => undefined),
    signal,
  };
  const nodes = new Map<string, HollowNode>();
  const rounds = new Rounds<HollowNode>(clock, ROUND_MS, (node) => node.turn());
  for (let index = 1; index <= flags.hollowNodes; index++) {
    const node = new HollowNode(fleet, index);
    nodes.set(node.nodeName, node);
    rounds.add(node);
  }
  dispatch(informers, nodes);
  const watching = informers.start(signal);
  try {
    await informers.waitForSync(signal);
    logger.info('starting hollow nodes', { count: nodes.size });
    for (const node of nodes.values()) node.turn();
    await rounds.start(signal);
    for (const node of nodes.values()) await node.stopped();
  } finally {
    await watching.catch(() => undefined);
  }
}
