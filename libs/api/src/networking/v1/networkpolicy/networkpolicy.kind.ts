import type { NetworkPolicy } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { list } from '../../../meta/list.js';
import { strategyOf } from '../../../meta/strategy.js';
import { formatSelector } from '../../../table/cells.js';
import {
  networkPolicyWarnings,
  validateNetworkPolicy,
  validateNetworkPolicyUpdate,
} from './networkpolicy.validation.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';

/** k8s pkg/apis/networking/v1/defaults.go. */
export function setNetworkPolicyDefaults(policy: NetworkPolicy): void {
  policy.spec ??= {};
  const { spec } = policy;
  spec.podSelector ??= {};
  if (list(spec.policyTypes).length === 0) {
    spec.policyTypes = list(spec.egress).length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
  }
  for (const rule of [...list(spec.ingress), ...list(spec.egress)]) {
    for (const port of list(rule.ports)) port.protocol ??= 'TCP';
  }
}

export const NetworkPolicyKind = defineKind<NetworkPolicy>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
  shortNames: ['netpol'],
  scope: 'Namespaced',
  setDefaults: setNetworkPolicyDefaults,
  strategy: strategyOf<NetworkPolicy>({
    namespaced: true,
    checkCreate: validateNetworkPolicy,
    checkUpdate: validateNetworkPolicyUpdate,
    warnings: networkPolicyWarnings,
  }),
  columns: table<NetworkPolicy>([
    nameColumn,
    column('Pod-Selector', ({ spec }) => formatSelector(spec?.podSelector)),
    ageColumn,
  ]),
  hasGeneration: true,
});
