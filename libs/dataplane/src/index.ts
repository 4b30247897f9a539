/**
 * The service dataplane: relays TCP and UDP from service addresses to pods. Half-closes, resets and back-pressure pass
 * through; a refused backend is passed over before the client notices; established TCP connections outlive every change
 * of rules. Rules come from kube-proxies, one set a node, and stay in force when their kube-proxy has gone.
 */
export type {
  Backend,
  Frontend,
  FrontendProblem,
  PolicyName,
  Protocol,
  RuleChanges,
  RuleSet,
  ServiceRule,
} from './rule-set.js';
export { POLICY_NAMES, backendKey, ruleKey } from './rule-set.js';
export { AddressRange, DialGuard, parseIpv4 } from './address-range.js';
export type { TrafficFlow, TrafficPolicy } from './traffic-policy.js';
export { PERMIT_ALL } from './traffic-policy.js';
export type { DataplaneOptions } from './dataplane.js';
export { Dataplane } from './dataplane.js';
export type { Counters } from './table/counters.js';
export type { Flow, Policy } from './policies/policy.js';
export { createPolicy } from './policies/policy.js';
