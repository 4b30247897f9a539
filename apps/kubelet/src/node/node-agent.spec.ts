import { describe, expect, it } from '@jest/globals';
import type { Node, NodeStatus } from '@orrery/api';
import type { KubeClient } from '@orrery/client';
import { canonicalQuantity, newAlreadyExists } from '@orrery/apimachinery';
import { SystemClock, silentLogger } from '@orrery/component';
import type { Clock } from '@orrery/component';
import { eventually } from '@orrery/testkit';
import type { Runtime } from '../runtime/runtime.js';
import { NodeAgent } from './node-agent.js';

/** One on which no wait ends by itself. */
class StoppedClock extends SystemClock {
  override after: Clock['after'] = () => () => undefined;
}

const MACHINE = {
  cpus: 1,
  memoryBytes: 32 * 2 ** 30,
  availableMemoryBytes: 1,
  ephemeralStorageBytes: 1,
  availableStorageBytes: 1,
  hostname: 'n',
  architecture: 'amd64',
  kernelVersion: '',
  osImage: '',
  machineId: '',
  bootId: '',
};

/** Amounts as any server shows them. */
const canonical = (status: NodeStatus = {}): Pick<NodeStatus, 'capacity' | 'allocatable'> => {
  const of = (amounts: Record<string, string> = {}) =>
    Object.fromEntries(Object.entries(amounts).map(([k, v]) => [k, canonicalQuantity(v)]));
  return { capacity: of(status.capacity), allocatable: of(status.allocatable) };
};

/** A server whose answer to a write of the status is held back until `answer` is called. */
class FakeNodes {
  node: Node | undefined;
  readonly ready: (string | undefined)[] = [];
  answers: (() => void)[] = [];

  create(node: Node): Promise<Node> {
    if (this.node)
      return Promise.reject(
        newAlreadyExists({ group: '', resource: 'nodes' }, node.metadata.name ?? ''),
      );
    this.node = { ...node, metadata: { ...node.metadata, uid: 'u', resourceVersion: '1' } };
    this.node.status = { ...node.status, ...canonical(node.status) };
    return Promise.resolve(this.node);
  }

  get(): Promise<Node | undefined> {
    return Promise.resolve(this.node);
  }

  async patch(
    _key: unknown,
    _type: unknown,
    { status }: Pick<Node, 'status'>,
  ): Promise<Node | undefined> {
    if (!status) return this.node;
    this.ready.push(status?.conditions?.find(({ type }) => type === 'Ready')?.status);
    await new Promise<void>((resolve) => this.answers.push(resolve));
    const { metadata, spec } = this.node ?? { metadata: {} };
    const resourceVersion = String(Number(metadata.resourceVersion) + 1);
    this.node = { metadata: { ...metadata, resourceVersion }, spec: { ...spec }, status };
    return this.node;
  }

  /** What the node IPAM controller writes. */
  give(podCIDR: string): Node {
    const { metadata, status } = this.node ?? { metadata: {} };
    this.node = { metadata: { ...metadata, resourceVersion: '5' }, spec: { podCIDR }, status };
    return this.node;
  }
}

/** A runtime without network until it has addresses. */
function runtimeOf(): Runtime {
  let cidr = '';
  return {
    version: () => Promise.resolve({ name: 'fake', version: '1' }),
    status: () =>
      Promise.resolve([
        { type: 'RuntimeReady', status: true },
        { type: 'NetworkReady', status: cidr !== '', message: 'no addresses' },
      ]),
    listImages: () => Promise.resolve([]),
    updatePodCidr: (given: string) => {
      cidr = given;
      return Promise.resolve();
    },
  } as unknown as Runtime;
}

/** An agent of one node over a runtime that is without network at first. */
const agentOf = (nodes: FakeNodes): NodeAgent =>
  new NodeAgent(
    {
      nodeName: 'n',
      nodeIps: ['127.0.0.1'],
      port: 1,
      maxPods: 1,
      labels: {},
      taints: [],
      rootDir: '/',
      updateMs: 10_000,
      reserved: {},
    },
    {
      client: { resource: () => nodes } as unknown as KubeClient,
      runtime: runtimeOf(),
      clock: new StoppedClock(),
      logger: silentLogger,
      machine: () => MACHINE,
      plegHealthy: () => true,
      pressures: () => [],
      shutdown: () => undefined,
      event: () => undefined,
      networkChanged: () => undefined,
    },
  );

describe('NodeAgent', () => {
  it('does not send the status again that came with the registration', async () => {
    const nodes = new FakeNodes();
    const agent = agentOf(nodes);
    await agent.pass(new AbortController().signal);
    await agent.pass(new AbortController().signal);
    expect(nodes.node?.status?.conditions).toContainEqual(
      expect.objectContaining({ type: 'Ready', status: 'False' }),
    );
    expect(nodes.ready).toEqual([]);
  });

  it('deals at once with news that come while a status is being written', async () => {
    const nodes = new FakeNodes();
    nodes.node = { metadata: { name: 'n', uid: 'u', resourceVersion: '1' }, spec: {} };
    const agent = agentOf(nodes);
    const stop = new AbortController();
    const running = agent.start(stop.signal);
    await eventually(() => {
      expect(nodes.ready).toEqual(['False']);
    });
    agent.observe(nodes.give('10.0.0.0/24'));
    nodes.answers.shift()?.();
    await eventually(() => {
      expect(nodes.ready).toEqual(['False', 'True']);
    });
    stop.abort();
    nodes.answers.shift()?.();
    await running;
  });
});
