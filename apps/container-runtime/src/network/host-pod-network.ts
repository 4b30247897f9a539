import type { SandboxRecord } from '../store/sandbox.js';
import { PodIps } from './pod-ips.js';
import type { PodNetwork, SandboxNetwork } from './pod-network.js';

/** Pods with addresses of the node's range in the node's own network: modes `loopback` and `routed`. */
export class HostPodNetwork implements PodNetwork {
  readonly servesHostPorts = false;
  private readonly ips: PodIps;

  constructor(root: string) {
    this.ips = new PodIps(root);
  }

  get podCidr(): string {
    return this.ips.podCidr;
  }

  problem(): string | undefined {
    return this.podCidr === '' ? 'the pod CIDR of this node is not known yet' : undefined;
  }

  setPodCidr(cidr: string): void {
    this.ips.setPodCidr(cidr);
  }

  attach(): Promise<SandboxNetwork> {
    try {
      return Promise.resolve({ ips: [this.ips.allocate()] });
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  detach({ ip }: SandboxRecord): Promise<void> {
    this.ips.release(ip);
    return Promise.resolve();
  }

  recover({ ip }: SandboxRecord): Promise<boolean> {
    this.ips.reserve(ip);
    return Promise.resolve(true);
  }
}
