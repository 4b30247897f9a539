import { mkdirSync } from 'node:fs';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Node, Pod } from '@orrery/api';
import { resources } from '@orrery/api';
import { connect, loadKubeconfig } from '@orrery/client';
import {
  ConfigError,
  SystemClock,
  SystemRandom,
  createLogger,
  parseFlags,
} from '@orrery/component';
import type { Clock, ComponentApp, ComponentContext } from '@orrery/component';
import { connectWatches } from '../connect-watches.js';
import type { KubeletOptions } from '../config/kubelet-options.js';
import { tuningOf } from '../config/node-tuning.js';
import { isMirrorPod, uidOf } from '../containers/visit.js';
import { KubeletModule } from '../kubelet.module.js';
import { Kubelet } from '../kubelet.js';
import { KubeletMetrics } from '../metrics/kubelet-metrics.js';
import { readMachine } from '../node/machine.js';
import { KubeletAuth } from '../server/kubelet-auth.js';
import { imagesOf, machineOf, toRuntimePod, toStaticPod } from './adopt-pods.js';
import { HollowFlags } from './hollow-flags.js';
import { runFleet } from './hollow-fleet.js';
import { MAX_PODS, PORT, hollowOptions } from './hollow-options.js';
import { HollowRuntime } from './hollow-runtime.js';
import type { RunsFor } from './hollow-runtime.js';
import { PASSIVE, workOf } from './hollow-work.js';

/** A hollow node takes over the identity of the Node object that stands for it. */
function optionsOf({ metadata, status }: Node, flags: HollowFlags): KubeletOptions {
  const nodeIps = (status?.addresses ?? [])
    .filter(({ type }) => type === 'InternalIP')
    .map(({ address }) => address);
  const [address = '127.0.0.1'] = nodeIps;
  return hollowOptions(flags, {
    nodeName: metadata.name ?? '',
    nodeIps,
    address,
    port: status?.daemonEndpoints?.kubeletEndpoint?.Port ?? PORT,
    maxPods: Number(status?.capacity?.['pods'] ?? MAX_PODS),
    tuning: tuningOf({ shutdownFile: '' }),
  });
}

interface NodeContext {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Of all nodes together. */
  readonly metrics: KubeletMetrics;
}

/** Runs the kubelet of one node over an in-memory runtime that holds what the node's pods are said to run. */
async function runNode(
  node: Node,
  pods: readonly Pod[],
  flags: HollowFlags,
  { signal, clock, metrics }: NodeContext,
): Promise<void> {
  const options = optionsOf(node, flags);
  mkdirSync(options.paths.podLogsDir, { recursive: true });
  const client = connect(loadKubeconfig(flags.kubeconfig, { userAgent: 'kubelet' }));
  const mirrors = pods.filter(isMirrorPod);
  const statics = mirrors.map(toStaticPod);
  const known = [...pods.filter((pod) => !isMirrorPod(pod)), ...statics];
  const byUid = new Map(known.map((pod) => [uidOf(pod), pod]));
  const runsFor: RunsFor = (uid, name) =>
    workOf(kubelet.directory.get(uid) ?? byUid.get(uid), name);
  const runtime = new HollowRuntime(clock, runsFor, imagesOf(node));
  const kubelet: Kubelet = new Kubelet(options, {
    client,
    runtime,
    clock,
    random: new SystemRandom(),
    metrics,
    ...PASSIVE,
    machine: () => machineOf(node, readMachine(options.paths.rootDir)),
  });
  for (const pod of known) {
    const held = toRuntimePod(pod);
    if (held) runtime.adopt(held);
  }
  const auth = new KubeletAuth(client, options.nodeName, clock);
  const nest = await NestFactory.create<NestFastifyApplication>(
    KubeletModule.with(kubelet, auth),
    new FastifyAdapter(),
    { logger: false, abortOnError: false },
  );
  connectWatches(nest, kubelet, clock);
  try {
    await kubelet.prepareStart();
    // Known before their static pods, the mirrors stay as they are.
    for (const mirror of mirrors) kubelet.directory.put(mirror);
    for (const pod of statics) kubelet.sync.onPod(pod);
    await nest.startAllMicroservices();
    await nest.init();
    await kubelet.start(signal);
  } finally {
    await nest.close();
    await client.close();
  }
}

/** Runs a hollow kubelet for each Node that is there, until the signal aborts. */
async function runHollowNodes(
  argv: readonly string[],
  { signal, clock = new SystemClock() }: ComponentContext,
): Promise<void> {
  const flags = parseFlags(HollowFlags, argv, 'hollow-nodes');
  if (flags.kubeconfig === '') throw new ConfigError('--kubeconfig is required');
  if (flags.hollowNodes > 0) return runFleet(flags, { signal, clock });
  const client = connect(loadKubeconfig(flags.kubeconfig, { userAgent: 'hollow-nodes' }));
  try {
    const nodes = await client.resource(resources.nodes).list();
    const pods = await client.resource(resources.pods).list();
    const metrics = new KubeletMetrics();
    createLogger({ component: 'hollow-nodes' }).info('adopting nodes', {
      count: nodes.items.length,
    });
    await Promise.all(
      nodes.items.map((node) =>
        runNode(
          node,
          pods.items.filter((pod) => pod.spec.nodeName === node.metadata.name),
          flags,
          { signal, clock, metrics },
        ),
      ),
    );
  } finally {
    await client.close();
  }
  return undefined;
}

/** Many nodes in one process, without processes of their own: real pod workers over an in-memory runtime. */
export const hollowNodes: ComponentApp = { name: 'hollow-nodes', run: runHollowNodes };
