import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { forbidden, invalid, notSupported, required } from '@orrery/apimachinery';
import type {
  Affinity,
  NodeSelector,
  NodeSelectorTerm,
  PodAffinityTerm,
  Toleration,
} from '../../../types.js';
import { oneOfThese } from '../../../meta/fields.js';
import { validateLabelSelector } from '../../../meta/label-selector.js';
import { eachOf, list } from '../../../meta/list.js';
import { check, dnsLabel, dnsSubdomain, labelValue, qualifiedName } from '../../../meta/names.js';
import { validateMatchLabelKeys } from '../scheduling/topology-spread.validation.js';

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

function validateTerm(term: NodeSelectorTerm, path: FieldPath, isRequired: boolean): FieldError[] {
  return [
    ...eachOf(term.matchExpressions, ({ key, operator, values }, i) => {
      const at = path.child('matchExpressions').index(i);
      const size = list(values).length;
      return [
        ...nodeOperator(operator, size, at),
        ...check(qualifiedName, key, at.child('key')),
        ...(isRequired
          ? eachOf(values, (value, v) => check(labelValue, value, at.child('values').index(v)))
          : []),
      ];
    }),
    ...eachOf(term.matchFields, ({ key, operator, values }, i) => {
      const at = path.child('matchFields').index(i);
      return [
        ...(operator === 'In' || operator === 'NotIn'
          ? list(values).length === 1
            ? []
            : [
                required(
                  at.child('values'),
                  "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
                ),
              ]
          : [invalid(at.child('operator'), operator ?? '', 'not a valid selector operator')]),
        ...(key === 'metadata.name'
          ? eachOf(values, (value, v) => check(dnsSubdomain, value, at.child('values').index(v)))
          : [invalid(at.child('key'), key ?? '', 'not a valid field selector key')]),
      ];
    }),
  ];
}

function nodeOperator(operator: string, size: number, at: FieldPath): FieldError[] {
  switch (operator) {
    case 'In':
    case 'NotIn':
      return size > 0
        ? []
        : [required(at.child('values'), "must be specified when `operator` is 'In' or 'NotIn'")];
    case 'Exists':
    case 'DoesNotExist':
      return size === 0
        ? []
        : [
            forbidden(
              at.child('values'),
              "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            ),
          ];
    case 'Gt':
    case 'Lt':
      return size === 1
        ? []
        : [
            required(
              at.child('values'),
              "must be specified single value when `operator` is 'Lt' or 'Gt'",
            ),
          ];
    default:
      return [invalid(at.child('operator'), operator ?? '', 'not a valid selector operator')];
  }
}

/** k8s pkg/apis/core/validation/validation.go:ValidateNodeSelector. */
export function validateNodeSelector(
  selector: NodeSelector | undefined,
  path: FieldPath,
  allowsAnyValue = false,
): FieldError[] {
  if (!selector) return [];
  const at = path.child('nodeSelectorTerms');
  if (list(selector.nodeSelectorTerms).length === 0) {
    return [required(at, 'must have at least one node selector term')];
  }
  return eachOf(selector.nodeSelectorTerms, (term, i) =>
    validateTerm(term, at.index(i), !allowsAnyValue),
  );
}

function validatePodTerm(term: PodAffinityTerm | undefined, path: FieldPath): FieldError[] {
  if (!term) return [required(path)];
  const key = path.child('topologyKey');
  return [
    ...validateLabelSelector(term.labelSelector, path.child('labelSelector')),
    ...validateLabelSelector(term.namespaceSelector, path.child('namespaceSelector')),
    ...eachOf(term.namespaces, (name) => check(dnsLabel, name, path.child('namespace'))),
    ...validateMatchLabelKeys(term, path),
    ...(term.topologyKey ? [] : [required(key, 'can not be empty')]),
    ...check(qualifiedName, term.topologyKey, key),
  ];
}

const validateWeight = (weight: number, path: FieldPath): FieldError[] =>
  weight >= 1 && weight <= 100 ? [] : [invalid(path, weight, 'must be in the range 1-100')];

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution';

export function validateAffinity(affinity: Affinity | undefined, path: FieldPath): FieldError[] {
  if (!affinity) return [];
  const node = path.child('nodeAffinity');
  return [
    ...validateNodeSelector(affinity.nodeAffinity?.[REQUIRED], node.child(REQUIRED)),
    ...eachOf(affinity.nodeAffinity?.[PREFERRED], (term, i) => {
      const at = node.child(PREFERRED).index(i);
      return [
        ...validateWeight(term.weight, at.child('weight')),
        ...validateTerm(term.preference ?? {}, at.child('preference'), false),
      ];
    }),
    ...(['podAffinity', 'podAntiAffinity'] as const).flatMap((kind) => [
      ...eachOf(affinity[kind]?.[REQUIRED], (term, i) =>
        validatePodTerm(term, path.child(kind, REQUIRED).index(i)),
      ),
      ...eachOf(affinity[kind]?.[PREFERRED], (term, i) => {
        const at = path.child(kind, PREFERRED).index(i);
        return [
          ...validateWeight(term.weight, at.child('weight')),
          ...validatePodTerm(term.podAffinityTerm, at.child('podAffinityTerm')),
        ];
      }),
    ]),
  ];
}

function validateTolerationValue(toleration: Toleration, at: FieldPath): FieldError[] {
  const { operator = 'Equal', value } = toleration;
  const path = at.child('operator');
  switch (operator || 'Equal') {
    case 'Equal': {
      const faults = labelValue(String(value ?? ''));
      return faults.length > 0 ? [invalid(path, value, faults.join(';'))] : [];
    }
    case 'Exists':
      return value ? [invalid(path, value, "value must be empty when `operator` is 'Exists'")] : [];
    case 'Gt':
    case 'Lt':
      // Comparing numbers is alpha (TaintTolerationComparisonOperators).
      return [notSupported(path, operator, ['Equal', 'Exists', 'Lt', 'Gt'], 'as given')];
    default:
      return [notSupported(path, operator, ['Equal', 'Exists'])];
  }
}

function validateToleration(toleration: Toleration, at: FieldPath): FieldError[] {
  const { key, operator, effect, tolerationSeconds } = toleration;
  const findings = key ? check(qualifiedName, key, at.child('key')) : [];
  if (!key && operator !== 'Exists') {
    findings.push(
      invalid(
        at.child('operator'),
        operator ?? '',
        'operator must be Exists when `key` is empty, which means "match all values and all keys"',
      ),
    );
  }
  if (tolerationSeconds !== undefined && tolerationSeconds !== null && effect !== 'NoExecute') {
    findings.push(
      invalid(
        at.child('effect'),
        effect ?? '',
        "effect must be 'NoExecute' when `tolerationSeconds` is set",
      ),
    );
  }
  findings.push(...validateTolerationValue(toleration, at));
  return effect ? [...findings, ...oneOfThese(effect, EFFECTS, at.child('effect'))] : findings;
}

export function validateTolerations(
  tolerations: readonly Toleration[] | undefined,
  path: FieldPath,
): FieldError[] {
  return eachOf(tolerations, (toleration, i) => validateToleration(toleration, path.index(i)));
}
