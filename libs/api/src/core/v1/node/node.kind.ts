import { cidrWarning, cloneJson } from '@orrery/apimachinery';
import type { Node } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { list } from '../../../meta/list.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { nodeColumns } from './node.columns.js';
import { validateNode, validateNodeStatus, validateNodeUpdate } from './node.validation.js';

const DEPRECATED: Readonly<Record<string, string>> = {
  configSource: 'the spec.configSource field was deprecated in v1.22 and disabled in v1.24',
  externalID: 'this field is deprecated, and is unused by Kubernetes',
};

/** k8s pkg/registry/core/node/strategy.go:fieldIsDeprecatedWarnings. */
const nodeWarnings = ({ spec }: Node): string[] => [
  ...(spec?.configSource ? [`spec.configSource: ${DEPRECATED['configSource']}`] : []),
  ...(spec?.externalID ? [`spec.externalID: ${DEPRECATED['externalID']}`] : []),
  ...list(spec?.podCIDRs).flatMap((cidr, i) => cidrWarning(`spec.podCIDRs[${i}]`, cidr) ?? []),
];

export const NodeKind = defineKind<Node>({
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  shortNames: ['no'],
  scope: 'Cluster',
  storagePrefix: 'minions',
  setDefaults(node) {
    node.spec ??= {};
    const { spec, status } = node;
    // podCIDR and podCIDRs[0] are one value, as in upstream's conversion.
    const { podCIDR } = spec;
    if (podCIDR && list(spec.podCIDRs)[0] !== podCIDR) spec.podCIDRs = [podCIDR];
    const [first] = list(spec.podCIDRs);
    if (first) spec.podCIDR = first;
    if (status?.capacity) status.allocatable ??= { ...status.capacity };
  },
  // A kubelet registers itself together with its status, so create keeps it.
  strategy: strategyOf<Node>({
    namespaced: false,
    prepareForUpdate(node, old) {
      if (old.status) node.status = cloneJson(old.status);
      else delete node.status;
    },
    check: validateNode,
    checkUpdate: validateNodeUpdate,
    warnings: nodeWarnings,
  }),
  status: statusStrategyOf<Node>(validateNodeStatus),
  selectableFields: ({ spec }) => ({ 'spec.unschedulable': String(spec?.unschedulable === true) }),
  columns: nodeColumns,
  hasGeneration: false,
});
