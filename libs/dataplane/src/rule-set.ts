/** Transport protocols that are relayed. */
export type Protocol = 'TCP' | 'UDP';

/** How a backend is chosen: `random` is kube-proxy's iptables mode, the others are the kernel's IPVS schedulers. */
export const POLICY_NAMES = [
  'random',
  'rr',
  'wrr',
  'lc',
  'wlc',
  'sh',
  'dh',
  'sed',
  'nq',
  'mh',
] as const;
export type PolicyName = (typeof POLICY_NAMES)[number];

/** Where an address of a service comes from. */
export const FRONTEND_KINDS = ['clusterIP', 'nodePort', 'externalIP', 'loadBalancer'] as const;
export type FrontendKind = (typeof FRONTEND_KINDS)[number];

/** An address on which a service answers. */
export interface Frontend {
  readonly address: string;
  readonly port: number;
  /** A node port belongs to the node that programs it; the others are served from any live rule set. */
  readonly kind: FrontendKind;
}

/** What may be behind an address of a node: the port of a pod of the host network, or an API server of this cluster. */
export const HOST_BACKENDS = ['pod', 'apiServer'] as const;
export type HostBackend = (typeof HOST_BACKENDS)[number];

/** A pod's address that may be chosen now. */
export interface Backend {
  readonly address: string;
  readonly port: number;
  /** What kube-proxy knows to be there, whoever wrote the endpoint. Absent: only an address of the pod range is dialled. */
  readonly host?: HostBackend;
  /** IPVS weight; 1 unless said otherwise. */
  readonly weight: number;
}

/** Other backends for clients of the cluster itself, which externalTrafficPolicy Local does not bind. */
export interface InsideRule {
  /** CIDRs and addresses of pods, and of the node. */
  readonly sources: readonly string[];
  readonly backends: readonly Backend[];
}

/** What one service port should do. */
export interface ServiceRule {
  /** `namespace/name:port`, unique in a rule set together with the protocol. */
  readonly id: string;
  readonly protocol: Protocol;
  readonly frontends: readonly Frontend[];
  readonly policy: PolicyName;
  /** Session affinity by client address, in ms; 0 = none. */
  readonly affinityMs: number;
  /** In a stable order: round robin follows it. */
  readonly backends: readonly Backend[];
  /** Present with externalTrafficPolicy Local: `backends` are then those of the node, for clients from outside. */
  readonly inside?: InsideRule;
  /** Every backend may be dialled: nobody but this process's own program has named them. Not said over the control socket. */
  readonly trusted?: boolean;
  /** CIDRs of the clients that are let in (loadBalancerSourceRanges); absent = all. */
  readonly allowedSources?: readonly string[];
  /** Connections and sessions that may be open at once; absent = no limit. */
  readonly maxConnections?: number;
  /** Idle time after which a UDP session is forgotten; absent = the dataplane's. */
  readonly udpIdleMs?: number;
}

/** All rules of one node's kube-proxy. */
export interface RuleSet {
  readonly node: string;
  /** CIDRs and addresses whose clients belong to this node: they are served from this rule set. */
  readonly sources: readonly string[];
  readonly rules: readonly ServiceRule[];
}

/** What changed in a rule set. */
export interface RuleChanges {
  readonly set: readonly ServiceRule[];
  /** {@link ruleKey} of each removed rule. */
  readonly remove: readonly string[];
}

/** A frontend that cannot be served. */
export interface FrontendProblem {
  readonly rule: string;
  readonly address: string;
  readonly port: number;
  readonly message: string;
}

export const ruleKey = (rule: Pick<ServiceRule, 'id' | 'protocol'>): string =>
  `${rule.protocol} ${rule.id}`;

export const backendKey = (backend: Pick<Backend, 'address' | 'port'>): string =>
  `${backend.address}:${backend.port}`;
