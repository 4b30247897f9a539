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

/** The families of a node's own addresses; IPv4 until it has been seen. */
export const familiesOf = (facts: NodeFacts | undefined): readonly ('IPv4' | 'IPv6')[] => {
  const families = facts?.internal.map((one) => (one.includes(':') ? 'IPv6' : 'IPv4')) ?? [];
  return families.length > 0 ? [...new Set(families)] : ['IPv4'];
};

/** The first internal address of each family. */
const primaryOf = (internal: readonly string[]): readonly string[] =>
  [false, true].flatMap((isSix) => internal.find((one) => one.includes(':') === isSix) ?? []);

/**
 * The node's addresses on which node ports answer: all internal ones, or those that `nodePortAddresses` names. Never
 * 127.0.0.1, whatever the word `localhost` asks for (CVE-2020-8558).
 */
export function nodePortAddresses(
  { internal, all }: NodeFacts,
  wanted: readonly string[] | null | undefined,
): readonly string[] {
  if (!wanted || wanted.length === 0) return internal;
  const ranges = wanted.flatMap((text) => AddressRange.parse(text) ?? []);
  const primary = wanted.includes('primary') ? primaryOf(internal) : [];
  return all.filter(
    (address) =>
      wanted.includes('all') ||
      primary.includes(address) ||
      ranges.some((range) => range.contains(address)),
  );
}

/** Addresses and CIDRs of clients that are pods or this node itself. */
export const localSources = (
  { all, podCidrs }: NodeFacts,
  hostAddresses: readonly string[],
  podRanges: readonly string[] | 'NodeCIDR',
): readonly string[] => [
  ...new Set([...all, ...hostAddresses, ...(podRanges === 'NodeCIDR' ? podCidrs : podRanges)]),
];

/** Addresses of network cards of this host; those of the loopback card belong to nobody. */
export const hostAddresses = (): readonly string[] =>
  Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal }) => !internal)
    .map(({ address }) => address);
