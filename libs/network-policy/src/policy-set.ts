/** Ports of one protocol; without `from` all of them. */
export interface PortRange {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly from?: number;
  readonly to?: number;
}

/** A CIDR and the parts of it that are left out. */
export interface AddressBlock {
  readonly cidr: string;
  readonly except: readonly string[];
}

/** What one rule lets through: flows to one of its ports and from (or to) one of its peers. */
export interface FlowRule {
  /** Absent: every port and protocol. */
  readonly ports?: readonly PortRange[];
  /** Both absent: everyone. */
  readonly addresses?: readonly string[];
  readonly blocks?: readonly AddressBlock[];
}

/** A pod that a policy selects. Rules by their place in {@link PolicySet.rules}; a direction without any is isolated. */
export interface PodIsolation {
  readonly pod: string;
  readonly addresses: readonly string[];
  /** Absent: not isolated for what comes in. */
  readonly ingress?: readonly number[];
  readonly egress?: readonly number[];
}

/** All NetworkPolicies of a cluster in terms of addresses; plain data. */
export interface PolicySet {
  readonly rules: readonly FlowRule[];
  readonly pods: readonly PodIsolation[];
  /** The addresses of each node with its pods' range: what comes from a pod's own node is never refused. */
  readonly nodes: readonly {
    readonly addresses: readonly string[];
    readonly podCidrs: readonly string[];
  }[];
}

/** The set of a cluster without policies. */
export const NO_POLICIES: PolicySet = { rules: [], pods: [], nodes: [] };
