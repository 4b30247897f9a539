/**
 * NetworkPolicy without a network: `compilePolicies` turns NetworkPolicies, Pods and Namespaces into a flat set of
 * addresses and ports; `PolicyEvaluator` answers for one flow, `renderPolicyFilter` writes the same set as iptables
 * rules. Pure: who watches and who enforces is elsewhere.
 */
export { Block, parseAddress } from './address.js';
export type { ParsedAddress } from './address.js';
export type { AddressBlock, FlowRule, PodIsolation, PolicySet, PortRange } from './policy-set.js';
export { NO_POLICIES } from './policy-set.js';
export type { PolicyInput } from './compile.js';
export { compilePolicies } from './compile.js';
export type { PolicyFlow, Verdict } from './evaluator.js';
export { PolicyEvaluator } from './evaluator.js';
export type { FilterOptions } from './iptables.js';
export { POLICY_CHAIN, renderPolicyFilter } from './iptables.js';
export type { ServiceFrontend } from './service-filter.js';
export { SERVICE_CHAIN } from './service-filter.js';
