import type { SandboxRecord } from '../store/sandbox.js';

/** What a sandbox has of the network. */
export interface SandboxNetwork {
  /** The first is the pod's; with two stacks one of each family. */
  readonly ips: readonly [string, ...string[]];
  /** Path of the pod's own network namespace; absent where it shares the node's. */
  readonly netns?: string;
}

/** How the pods of a node get their addresses: one implementation for each way. */
export interface PodNetwork {
  /** Undefined when pods can be attached, else why not: the message of the NetworkReady condition. */
  problem(): string | undefined;
  /** The pod range of the node as the kubelet tells it; empty text while it is not known. */
  setPodCidr(cidr: string): void;
  readonly podCidr: string;
  /** Whether the network itself serves host ports. */
  readonly servesHostPorts: boolean;
  /** Rejects with CriError; nothing is left behind then. */
  attach(sandbox: Omit<SandboxRecord, 'ip'>): Promise<SandboxNetwork>;
  /** Safe to repeat. */
  detach(sandbox: SandboxRecord): Promise<void>;
  /** A sandbox that was found at start; false when its network is gone. */
  recover(sandbox: SandboxRecord): Promise<boolean>;
}
