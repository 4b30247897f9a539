import { resources } from '@orrery/api';
import type { Node } from '@orrery/api';
import type { KubeClient } from '@orrery/client';
import type { Clock } from '@orrery/component';
import type { RouteMode } from './routes.js';

/** Node annotation that names the way in which its pods get addresses: loopback, routed or netns. */
export const NETWORK_ANNOTATION = 'orrery.dev/network';
/** How nodes with `netns` reach each other's pods. */
export const BACKEND_ANNOTATION = 'orrery.dev/network-backend';

export interface NodeReportOptions {
  readonly client: KubeClient;
  readonly mode: RouteMode;
  readonly clock: Clock;
}

/** Says of a node what its network is and whether it is there, as network add-ons do; each thing once. */
export class NodeReport {
  constructor(private readonly options: NodeReportOptions) {}

  /** The node gets the taint node.kubernetes.io/network-unavailable. */
  async unavailable(node: Node): Promise<void> {
    if (this.options.mode === 'none') return;
    await this.condition(
      node,
      'True',
      'NoPodNetwork',
      'The pod network of this node is not set up yet',
    );
  }

  async available(node: Node): Promise<void> {
    await this.annotate(node);
    if (this.options.mode === 'none') return;
    await this.condition(node, 'False', 'PodNetworkIsUp', 'The pod network of this node is set up');
  }

  private async annotate({ metadata }: Node): Promise<void> {
    const { client, mode } = this.options;
    const wanted =
      mode === 'routed'
        ? { [NETWORK_ANNOTATION]: mode }
        : {
            [NETWORK_ANNOTATION]: 'netns',
            [BACKEND_ANNOTATION]: mode,
          };
    if (Object.entries(wanted).every(([key, value]) => metadata.annotations?.[key] === value))
      return;
    await client
      .resource(resources.nodes)
      .patch({ name: metadata.name ?? '' }, 'merge', { metadata: { annotations: wanted } });
  }

  private async condition(
    node: Node,
    status: string,
    reason: string,
    message: string,
  ): Promise<void> {
    const { client, clock } = this.options;
    const now = node.status?.conditions?.find(({ type }) => type === 'NetworkUnavailable');
    if (now?.status === status && now.reason === reason) return;
    const time = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
    const condition = {
      type: 'NetworkUnavailable',
      status,
      reason,
      message,
      lastHeartbeatTime: time,
      lastTransitionTime: now?.status === status ? now.lastTransitionTime : time,
    };
    await client.resource(resources.nodes).patch(
      { name: node.metadata.name ?? '' },
      'strategic',
      { status: { conditions: [condition] } },
      {
        subresource: 'status',
      },
    );
  }
}
