import { isIPv6 } from 'node:net';
import type { SandboxRecord } from '../store/sandbox.js';
import { PodIps } from './pod-ips.js';
import type { PodNetwork, SandboxNetwork } from './pod-network.js';

/** Pods with addresses of the node's ranges in the node's own network: modes `loopback` and `routed`. */
export class HostPodNetwork implements PodNetwork {
  readonly servesHostPorts = false;
  /** One a family; a node has the second where the cluster has both. */
  private readonly ips: readonly [first: PodIps, second: PodIps];

  constructor(root: string) {
    this.ips = [new PodIps(root), new PodIps(root, 'network-2.json')];
  }

  private ranges(): PodIps[] {
    return this.ips.filter(({ podCidr }) => podCidr !== '');
  }

  get podCidr(): string {
    return this.ranges()
      .map(({ podCidr }) => podCidr)
      .join(',');
  }

  problem(): string | undefined {
    return this.podCidr === '' ? 'the pod CIDR of this node is not known yet' : undefined;
  }

  setPodCidr(cidrs: string): void {
    const [first = '', second = ''] = cidrs.split(',');
    this.ips[0].setPodCidr(first);
    this.ips[1].setPodCidr(second);
  }

  attach(): Promise<SandboxNetwork> {
    const [own, other] = this.ips;
    try {
      const first = own.allocate();
      try {
        return Promise.resolve({
          ips: other.podCidr === '' ? [first] : [first, other.allocate()],
        });
      } catch (error) {
        own.release(first);
        throw error;
      }
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  detach(sandbox: SandboxRecord): Promise<void> {
    for (const ip of addressesOf(sandbox)) this.rangeOf(ip).release(ip);
    return Promise.resolve();
  }

  recover(sandbox: SandboxRecord): Promise<boolean> {
    for (const ip of addressesOf(sandbox)) this.rangeOf(ip).reserve(ip);
    return Promise.resolve(true);
  }

  private rangeOf(ip: string): PodIps {
    const [own, other] = this.ips;
    return isIPv6(ip) === own.podCidr.includes(':') ? own : other;
  }
}

const addressesOf = ({ ip, moreIps = [] }: SandboxRecord): readonly string[] => [ip, ...moreIps];
