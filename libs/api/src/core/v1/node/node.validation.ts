import type { FieldError } from '@orrery/apimachinery';
import {
  FieldPath,
  cidrFaults,
  duplicate,
  forbidden,
  invalid,
  notSupported,
  parseCidr,
  required,
} from '@orrery/apimachinery';
import type { Node, Taint } from '../../../types.js';
import { when } from '../../../meta/findings.js';
import { eachOf, entries, list } from '../../../meta/list.js';
import { check, labelValue, qualifiedName } from '../../../meta/names.js';
import { validateResourceAmount } from '../../../meta/resource-names.js';

const METADATA = FieldPath.of('metadata');
const CIDRS = FieldPath.of('spec', 'podCIDRs');
const EFFECTS = ['NoExecute', 'NoSchedule', 'PreferNoSchedule'];

function validateTaint({ key, value, effect }: Taint, at: FieldPath): FieldError[] {
  const faults = labelValue(String(value ?? ''));
  return [
    ...check(qualifiedName, key, at.child('key')),
    ...when(faults.length > 0, invalid(at.child('value'), value, faults.join(';'))),
    ...(effect
      ? when(!EFFECTS.includes(effect), notSupported(at.child('effect'), effect, EFFECTS))
      : [required(at.child('effect'))]),
  ];
}

/** Upstream looks for taints below metadata. */
function validateTaints({ spec }: Node): FieldError[] {
  const seen = new Set<string>();
  return eachOf(spec?.taints, (taint, i) => {
    const at = METADATA.child('taints').index(i);
    const id = `${taint.effect}:${taint.key}`;
    const isRepeated = seen.has(id);
    seen.add(id);
    const found = duplicate(at, taint);
    const text = `${found.message}: taints must be unique by key and effect pair`;
    return [...validateTaint(taint, at), ...when(isRepeated, { ...found, message: text })];
  });
}

export const validateNodeAmounts = ({ status }: Node): FieldError[] =>
  (['capacity', 'allocatable'] as const).flatMap((field) =>
    entries(status?.[field]).flatMap(([name, amount]) =>
      validateResourceAmount(name, amount, FieldPath.of('status', field, name)),
    ),
  );

function validateCidrs({ spec }: Node): FieldError[] {
  const cidrs = list(spec?.podCIDRs);
  const families = new Set(cidrs.map((cidr) => parseCidr(String(cidr))?.address.family));
  const isDual = cidrs.length <= 1 || (cidrs.length === 2 && families.size === 2);
  return [
    ...cidrs.flatMap((cidr, i) =>
      cidrFaults(String(cidr)).map((fault) => invalid(CIDRS.index(i), cidr, fault)),
    ),
    ...when(!isDual, invalid(CIDRS, cidrs, 'may specify no more than one CIDR for each IP family')),
  ];
}

/** k8s pkg/apis/core/validation/validation.go:ValidateNode. */
export const validateNode = (node: Node): FieldError[] => [
  ...validateTaints(node),
  ...validateNodeAmounts(node),
  ...validateCidrs(node),
];

function validateAddresses({ status }: Node): FieldError[] {
  const seen = new Set<string>();
  const path = FieldPath.of('status', 'addresses');
  return eachOf(status?.addresses, (address, i) => {
    const id = `${address.type} ${address.address}`;
    const isRepeated = seen.has(id);
    seen.add(id);
    return when(isRepeated, duplicate(path.index(i), address));
  });
}

/** k8s pkg/apis/core/validation/validation.go:ValidateNodeUpdate. */
export function validateNodeUpdate(node: Node, old: Node): FieldError[] {
  const before = list(old.spec?.podCIDRs);
  const now = list(node.spec?.podCIDRs);
  const moved = now.length === before.length ? before.filter((cidr, i) => cidr !== now[i]) : [''];
  const fixed = (field: string): string =>
    `node updates may not change ${field} except from "" to valid`;
  const provider = old.spec?.providerID;
  return [
    ...validateAddresses(node),
    ...(before.length > 0 ? moved : []).map(() => forbidden(CIDRS, fixed('podCIDR'))),
    ...when(
      Boolean(provider) && provider !== node.spec?.providerID,
      forbidden(FieldPath.of('spec', 'providerID'), fixed('providerID')),
    ),
  ];
}
