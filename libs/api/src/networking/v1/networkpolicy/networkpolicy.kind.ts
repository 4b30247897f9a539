import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { FieldPath, forbidden, invalid, required } from '@orrery/apimachinery';
import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { oneOf, validateCidr } from '../../../meta/fields.js';
import { validateLabelSelector } from '../../../meta/label-selector.js';
import { eachOf, list } from '../../../meta/list.js';
import { strategyOf } from '../../../meta/strategy.js';
import { validatePortNumberOrName } from '../../../core/v1/pod-spec/probe.validation.js';
import { formatSelector } from '../../../table/cells.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';

const SPEC = FieldPath.of('spec');

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

function validatePort(port: NetworkPolicyPort, at: Path): FieldError[] {
  const { port: first, endPort } = port;
  return [
    ...oneOf(port.protocol, ['TCP', 'UDP', 'SCTP'], at.child('protocol'), false),
    ...(first === undefined || first === null
      ? []
      : validatePortNumberOrName(first, at.child('port'))),
    ...(typeof endPort === 'number' && typeof first === 'number' && endPort < first
      ? [invalid(at.child('endPort'), endPort, 'must be greater than or equal to `port`')]
      : []),
    ...(typeof endPort === 'number' && (first === undefined || first === null)
      ? [required(at.child('port'), 'must be specified if `endPort` is specified')]
      : []),
  ];
}

function validatePeer(peer: NetworkPolicyPeer, at: Path): FieldError[] {
  const { podSelector, namespaceSelector, ipBlock } = peer;
  if (!podSelector && !namespaceSelector && !ipBlock) {
    return [required(at, 'must specify a peer')];
  }
  return [
    ...validateLabelSelector(podSelector, at.child('podSelector')),
    ...validateLabelSelector(namespaceSelector, at.child('namespaceSelector')),
    ...(ipBlock && (podSelector || namespaceSelector)
      ? [forbidden(at, 'may not specify both ipBlock and another peer')]
      : []),
    ...(ipBlock ? validateCidr(ipBlock.cidr, at.child('ipBlock', 'cidr')) : []),
    ...(ipBlock
      ? eachOf(ipBlock.except, (cidr, i) =>
          validateCidr(cidr, at.child('ipBlock', 'except').index(i)),
        )
      : []),
  ];
}

function validate({ spec }: NetworkPolicy): FieldError[] {
  return [
    ...validateLabelSelector(spec?.podSelector, SPEC.child('podSelector')),
    ...eachOf(spec?.ingress, (rule, i) => {
      const at = SPEC.child('ingress').index(i);
      return [
        ...eachOf(rule.ports, (port, p) => validatePort(port, at.child('ports').index(p))),
        ...eachOf(rule.from, (peer, p) => validatePeer(peer, at.child('from').index(p))),
      ];
    }),
    ...eachOf(spec?.egress, (rule, i) => {
      const at = SPEC.child('egress').index(i);
      return [
        ...eachOf(rule.ports, (port, p) => validatePort(port, at.child('ports').index(p))),
        ...eachOf(rule.to, (peer, p) => validatePeer(peer, at.child('to').index(p))),
      ];
    }),
    ...eachOf(spec?.policyTypes, (type, i) =>
      oneOf(type, ['Egress', 'Ingress'], SPEC.child('policyTypes').index(i)),
    ),
  ];
}

export const NetworkPolicyKind = defineKind<NetworkPolicy>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
  shortNames: ['netpol'],
  scope: 'Namespaced',
  setDefaults: setNetworkPolicyDefaults,
  strategy: strategyOf<NetworkPolicy>({ namespaced: true, check: validate }),
  columns: table<NetworkPolicy>([
    nameColumn,
    column('Pod-Selector', ({ spec }) => formatSelector(spec?.podSelector)),
    ageColumn,
  ]),
  hasGeneration: true,
});
