import type { FieldError } from '@orrery/apimachinery';
import {
  FieldPath,
  cidrFaults,
  duplicate,
  forbidden,
  invalid,
  parseCidr,
} from '@orrery/apimachinery';
import type { Node } from '../../../types.js';
import { given, when } from '../../../meta/findings.js';
import { eachOf, entries, list } from '../../../meta/list.js';
import { validateResourceAmount } from '../../../meta/resource-names.js';
import { validateNodeAnnotations } from './node-annotations.validation.js';
import { validateTaints } from './taints.validation.js';
import { validateConfigSource, validateConfigStatus } from './node-config.validation.js';

const METADATA = FieldPath.of('metadata');
const CIDRS = FieldPath.of('spec', 'podCIDRs');

const validateNodeAmounts = ({ status }: Node): FieldError[] =>
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

/** Upstream looks for swap below metadata too. */
function validateSwap({ status }: Node): FieldError[] {
  const path = METADATA.child('nodeSwapStatus', 'capacity');
  return given(status?.nodeInfo?.swap?.capacity, (capacity) =>
    when(capacity <= 0, invalid(path, capacity, 'must be greater than zero')),
  );
}

const MAX_FEATURE = 253;
const FEATURE = /^[A-Z][a-zA-Z0-9]*(\/[a-zA-Z][a-zA-Z0-9]*)*$/;

function featureFault(name: string): string | undefined {
  const shown = `invalid feature name ${JSON.stringify(name)}`;
  if (name.length > MAX_FEATURE) return `${shown}: must be no more than ${MAX_FEATURE} characters`;
  return FEATURE.test(name)
    ? undefined
    : `${shown}: must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes`;
}

/** k8s pkg/apis/core/validation/validation.go:validateNodeDeclaredFeatures: names, in order, each once. */
function validateFeatures({ status }: Node): FieldError[] {
  const path = FieldPath.of('status', 'declaredFeatures');
  const names = list(status?.declaredFeatures).map(String);
  return names.flatMap((name, i) => {
    const fault = featureFault(name);
    const next = names[i + 1];
    return [
      ...when(fault !== undefined, invalid(path.index(i), name, fault ?? '')),
      ...when(next === name, duplicate(path.index(i + 1), next)),
      ...when(
        next !== undefined && name > next,
        invalid(path.index(i + 1), next, 'list must be sorted alphabetically'),
      ),
    ];
  });
}

/** k8s pkg/apis/core/validation/validation.go:ValidateNode. */
export const validateNode = (node: Node): FieldError[] => [
  ...validateNodeAnnotations(node),
  // Upstream looks for taints below metadata.
  ...validateTaints(node.spec?.taints, METADATA.child('taints')),
  ...validateNodeAmounts(node),
  ...validateSwap(node),
  ...validateFeatures(node),
  ...validateCidrs(node),
];

function validateAddresses({ status }: Node): FieldError[] {
  const seen = new Set<string>();
  const path = FieldPath.of('status', 'addresses');
  return eachOf(status?.addresses, (address, i) => {
    const id = `${address.type} ${address.address}`;
    const isRepeated = seen.has(id);
    seen.add(id);
    const shown = { Type: address.type, Address: address.address };
    return when(isRepeated, duplicate(path.index(i), shown));
  });
}

/** What a kubelet and its controllers say of a node: the part of ValidateNodeUpdate that is not about its spec. */
export const validateNodeStatus = (node: Node): FieldError[] => [
  ...validateNodeAnnotations(node),
  ...validateNodeAmounts(node),
  ...validateFeatures(node),
  ...validateAddresses(node),
  ...given(node.status?.config, (config) =>
    validateConfigStatus(config, FieldPath.of('status', 'config')),
  ),
];

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
    ...given(node.spec?.configSource, (source) =>
      validateConfigSource(source, FieldPath.of('spec', 'configSource'), 'spec'),
    ),
    ...when(
      (node.spec?.externalID ?? '') !== (old.spec?.externalID ?? ''),
      forbidden(FieldPath.of('spec', 'externalID'), 'may not be updated'),
    ),
  ];
}
