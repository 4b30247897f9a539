import type { ObjectKey } from '@orrery/apimachinery';
import type { Node } from '@orrery/api';
import { resources } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import { ConfigError } from '@orrery/component';
import { defineController, done } from '@orrery/controller';
import type { EventRecorder, Reconciler, Result } from '@orrery/controller';
import type { Lister } from '@orrery/informers';
import type { ControllerEntry } from '../../controller-entry.js';
import { chooseBlock, cidrBlocks, familyOf, passedOver } from './cidr-blocks.js';
import type { CidrBlocks } from './cidr-blocks.js';
import { createBlockMeters } from './node-ipam.metrics.js';
import type { BlockMeters } from './node-ipam.metrics.js';

/** Gives each node a pod range of each family, all of one number. One worker: an assignment must see all others. */
export class NodeIpamReconciler implements Reconciler {
  /** Assigned here and perhaps not yet in the cache, by node name. */
  readonly #assigned = new Map<string, number>();
  /** Nodes that are counted as having their ranges. */
  readonly #counted = new Set<string>();

  constructor(
    private readonly nodes: Lister<Node>,
    private readonly client: ResourceClient<Node>,
    private readonly events: EventRecorder,
    private readonly blocks: readonly CidrBlocks[],
    private readonly meters: BlockMeters,
  ) {}

  async reconcile({ name }: ObjectKey): Promise<Result> {
    const node = this.nodes.get({ name });
    if (!node) this.#forget(name);
    else if (node.spec?.podCIDR) this.#count(name);
    if (!node || node.spec?.podCIDR || node.metadata.deletionTimestamp) return done;
    const index = this.#assigned.get(name) ?? chooseBlock(this.#least(), this.#used(), name);
    if (index === undefined) {
      const text = `Node ${name} status is now: CIDRNotAvailable`;
      this.events.event(node, 'Normal', 'CIDRNotAvailable', text);
      throw new Error(`no pod range is free for node ${name}`);
    }
    // Kept when the answer is lost: the write may have been made.
    this.#assigned.set(name, index);
    const podCIDRs = this.blocks.map((blocks) => blocks.block(index));
    const [podCIDR] = podCIDRs;
    await this.client.patch({ name }, 'strategic', { spec: { podCIDR, podCIDRs } });
    this.#count(name, passedOver(index, name));
    return done;
  }

  #forget(name: string): void {
    this.#assigned.delete(name);
    if (this.#counted.delete(name)) for (const each of this.blocks) this.meters.released(each);
  }

  #count(name: string, tries?: number): void {
    if (this.#counted.has(name)) return;
    this.#counted.add(name);
    for (const each of this.blocks) this.meters.taken(each, tries);
  }

  #least(): Pick<CidrBlocks, 'count'> {
    return { count: Math.min(...this.blocks.map(({ count }) => count)) };
  }

  #used(): Set<number> {
    const used = new Set(this.#assigned.values());
    for (const node of this.nodes.list())
      for (const cidr of node.spec?.podCIDRs ?? [node.spec?.podCIDR ?? '']) {
        for (const blocks of this.blocks) {
          const index = blocks.indexOf(cidr);
          if (index !== undefined) used.add(index);
        }
      }
    return used;
  }
}

/** k8s cmd/kube-controller-manager/app/core.go:startNodeIpamController. */
export function blocksOf(
  ranges: string,
  sizes: Readonly<Record<CidrBlocks['family'], number>>,
): readonly CidrBlocks[] {
  const cidrs = ranges.split(',').filter((cidr) => cidr !== '');
  const families = cidrs.map(familyOf);
  if (cidrs.length > 2)
    throw new ConfigError('--cluster-cidr: at most two ranges, one of each family');
  if (new Set(families).size < families.length)
    throw new ConfigError('--cluster-cidr: two ranges must be of two families');
  try {
    return cidrs.map((cidr) => cidrBlocks(cidr, sizes[familyOf(cidr)]));
  } catch (cause) {
    throw new ConfigError(`--cluster-cidr: ${String(cause)}`, { cause });
  }
}

export const nodeIpamController: ControllerEntry = {
  name: 'node-ipam-controller',
  enabled: ({ allocateNodeCidrs }) => allocateNodeCidrs,
  definition: () =>
    defineController('node-ipam-controller')
      .for(resources.nodes, { changed: (node) => !node.spec?.podCIDR })
      .build(),
  create({ client, informers, events, options, metrics }) {
    const blocks = blocksOf(options.clusterCidr, options.nodeCidrMaskSizes);
    return new NodeIpamReconciler(
      informers.informer(resources.nodes).lister,
      client.resource(resources.nodes),
      events('cidrAllocator'),
      blocks,
      createBlockMeters(metrics, blocks),
    );
  },
};
