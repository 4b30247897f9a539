/**
 * The service dataplane: relays TCP and UDP from service addresses to pods. Half-closes, resets and back-pressure pass
 * through; a refused backend is passed over before the client notices; established TCP connections outlive every change
 * of rules. Rules come from kube-proxies, one set a node, and stay in force when their kube-proxy has gone.
 */
export type {
  Backend,
  Frontend,
  FrontendKind,
  FrontendProblem,
  HostBackend,
  PolicyName,
  Protocol,
  RuleChanges,
  RuleSet,
  ServiceRule,
} from './rule-set.js';
export { FRONTEND_KINDS, HOST_BACKENDS, POLICY_NAMES, backendKey, ruleKey } from './rule-set.js';
export { AddressRange, DialGuard, parseIpv4 } from './address-range.js';
export type { TrafficFlow, TrafficPolicy } from './traffic-policy.js';
export { PERMIT_ALL } from './traffic-policy.js';
export type { DataplaneOptions, DataplaneRole } from './dataplane.js';
export { Dataplane } from './dataplane.js';
export type { ListeningHandle, OfferedHandle } from './handover/handle-channel.js';
export { offerHandles, takeHandles } from './handover/handle-channel.js';
export { LATENCY_BUCKETS } from './table/latency.js';
export type { ConnectionView, EndpointView } from './table/endpoint-state.js';
export type { RuleView } from './table/service-table.js';
export type { CounterName } from './table/counters.js';
export { Counters } from './table/counters.js';
export type { Flow, Policy } from './policies/policy.js';
export { createPolicy } from './policies/policy.js';
export type { RuledConnection } from './control/dataplane-client.js';
export { DataplaneClient, DataplaneError } from './control/dataplane-client.js';
export { formatEndpointMetrics } from './control/endpoint-metrics.js';
