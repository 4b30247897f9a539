import { networkInterfaces } from 'node:os';
import type { Node } from '@orrery/api';
import { AddressRange } from '@orrery/dataplane';

const ZONE = 'topology.kubernetes.io/zone';

/** What of a node the rules depend on. */
export interface NodeFacts {
  readonly zone: string;
  /** InternalIP addresses. */
  readonly internal: readonly string[];
  /** Every address that its status names. */
  readonly all: readonly string[];
  readonly podCidrs: readonly string[];
  /** Whether load balancers may send traffic here: it is not being deleted. */
  readonly isEligible: boolean;
}

export function nodeFacts(node: Node): NodeFacts {
  const addresses = node.status?.addresses ?? [];
  const ips = addresses.filter(({ type }) => type === 'InternalIP' || type === 'ExternalIP');
  const { podCIDR, podCIDRs, taints = [] } = node.spec;
  return {
    zone: node.metadata.labels?.[ZONE] ?? '',
    internal: ips.filter(({ type }) => type === 'InternalIP').map(({ address }) => address),
    all: ips.map(({ address }) => address),
    podCidrs: podCIDRs ?? (podCIDR ? [podCIDR] : []),
    // k8s pkg/proxy/healthcheck/proxier_health.go:SyncNode
    isEligible:
      node.metadata.deletionTimestamp === undefined &&
      !taints.some(({ key }) => key === 'ToBeDeletedByClusterAutoscaler'),
  };
}

/** The node's addresses on which node ports answer: all internal ones, or those inside `nodePortAddresses`. */
export function nodePortAddresses(
  { internal, all }: NodeFacts,
  wanted: readonly string[] | null | undefined,
): readonly string[] {
  if (!wanted || wanted.length === 0) return internal;
  if (wanted.includes('primary')) return internal.slice(0, 1);
  const ranges = wanted.flatMap((text) => AddressRange.parse(text) ?? []);
  return all.filter((address) => ranges.some((range) => range.contains(address)));
}

/** Addresses of network cards of this host; those of the loopback card belong to nobody. */
export const hostAddresses = (): readonly string[] =>
  Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal }) => !internal)
    .map(({ address }) => address);
