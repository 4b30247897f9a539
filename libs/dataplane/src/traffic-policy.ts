import type { Protocol } from './rule-set.js';

/** A new connection or UDP session after the choice of its backend, as a packet filter behind kube-proxy sees it. */
export interface TrafficFlow {
  /** The client's address as this host sees it. */
  readonly source: string;
  /** The chosen backend. */
  readonly address: string;
  readonly port: number;
  readonly protocol: Protocol;
}

/** Decides which flows a NetworkPolicy lets through. Asked once for each connection and session, before the dial. */
export interface TrafficPolicy {
  permits(flow: TrafficFlow): boolean;
}

/** The policy of a cluster without NetworkPolicies. */
export const PERMIT_ALL: TrafficPolicy = { permits: () => true };
