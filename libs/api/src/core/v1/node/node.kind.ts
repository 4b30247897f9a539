import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, duplicate, forbidden, invalid, required } from '@orrery/apimachinery';
import type { Node } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { oneOf, validateCidr } from '../../../meta/fields.js';
import { eachOf, isDeepEqual, list } from '../../../meta/list.js';
import { check, labelValue, qualifiedName } from '../../../meta/names.js';
import { validateQuantities } from '../../../meta/quantity.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { nodeColumns } from './node.columns.js';

const SPEC = FieldPath.of('spec');
const STATUS = FieldPath.of('status');

function validateTaints({ spec }: Node): FieldError[] {
  const path = SPEC.child('taints');
  const seen = new Set<string>();
  return eachOf(spec?.taints, (taint, i) => {
    const at = path.index(i);
    const id = `${taint.key}:${taint.effect}`;
    const repeated = seen.has(id);
    seen.add(id);
    return [
      ...check(qualifiedName, taint.key, at.child('key')),
      ...labelValue(String(taint.value ?? '')).map((m) =>
        invalid(at.child('value'), taint.value, m),
      ),
      ...(taint.effect
        ? oneOf(taint.effect, ['NoSchedule', 'PreferNoSchedule', 'NoExecute'], at.child('effect'))
        : [required(at.child('effect'))]),
      ...(repeated
        ? [
            {
              ...duplicate(at, taint),
              message: `Duplicate value: ${JSON.stringify(taint)}: taints must be unique by key and effect pair`,
            },
          ]
        : []),
    ];
  });
}

function validate(node: Node): FieldError[] {
  return [
    ...validateTaints(node),
    ...list(node.spec?.podCIDRs).flatMap((cidr, i) =>
      validateCidr(cidr, SPEC.child('podCIDRs').index(i)),
    ),
  ];
}

const validateAmounts = (node: Node): FieldError[] => [
  ...validateQuantities(node.status?.capacity, STATUS.child('capacity')),
  ...validateQuantities(node.status?.allocatable, STATUS.child('allocatable')),
];

/** k8s pkg/apis/core/validation/validation.go:ValidateNodeUpdate. */
function validateUpdate(node: Node, old: Node): FieldError[] {
  const cidrs = list(old.spec?.podCIDRs);
  return [
    ...(cidrs.length > 0 && !isDeepEqual(node.spec?.podCIDRs, old.spec?.podCIDRs)
      ? [
          forbidden(
            SPEC.child('podCIDRs'),
            'node updates may not change podCIDR except from "" to valid',
          ),
        ]
      : []),
    ...(old.spec?.providerID && old.spec.providerID !== node.spec?.providerID
      ? [
          forbidden(
            SPEC.child('providerID'),
            'node updates may not change providerID except from "" to valid',
          ),
        ]
      : []),
  ];
}

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
    const first = list(spec.podCIDRs)[0] ?? spec.podCIDR;
    if (first) {
      spec.podCIDRs ??= [first];
      spec.podCIDR = first;
    }
    if (status?.capacity) status.allocatable ??= { ...status.capacity };
  },
  // A kubelet registers itself together with its status, so create keeps it.
  strategy: strategyOf<Node>({
    namespaced: false,
    prepareForUpdate(node, old) {
      if (old.status) node.status = structuredClone(old.status);
      else delete node.status;
    },
    check: (node) => [...validate(node), ...validateAmounts(node)],
    checkUpdate: validateUpdate,
  }),
  status: statusStrategyOf<Node>(validateAmounts),
  selectableFields: ({ spec }) => ({ 'spec.unschedulable': String(spec?.unschedulable === true) }),
  columns: nodeColumns,
  hasGeneration: false,
});
