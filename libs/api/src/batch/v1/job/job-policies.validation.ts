import type { FieldError, FieldPath } from '@orrery/apimachinery';
import {
  byteLength,
  duplicate,
  invalid,
  notSupported,
  required,
  tooLong,
  tooMany,
} from '@orrery/apimachinery';
import type {
  JobSpec,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyOnPodConditionsPattern,
  PodFailurePolicyRule,
  SuccessPolicyRule,
} from '../../../types.js';
import { given, omittedValue, when } from '../../../meta/findings.js';
import { nonNegative } from '../../../meta/fields.js';
import { internalForm } from '../../../meta/internal-form.js';
import { eachOf, list } from '../../../meta/list.js';
import { check, qualifiedName } from '../../../meta/names.js';
import { parseIndexes } from './job-indexes.js';

const MAX_RULES = 20;
const MAX_CODES = 255;
const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore'];
const STATUSES = ['False', 'True', 'Unknown'];

const choice = (
  value: string | undefined,
  legal: readonly string[],
  path: FieldPath,
): FieldError[] =>
  value
    ? when(!legal.includes(value), notSupported(path, value, legal))
    : [required(path, `valid values: [${legal.map((each) => JSON.stringify(each)).join(' ')}]`)];

function validateCodes(codes: readonly number[], operator: string, path: FieldPath): FieldError[] {
  if (codes.length === 0) return [invalid(path, codes, 'at least one value is required')];
  const seen = new Set<number>();
  const isOrdered = codes.every((code, i) => i === 0 || code >= (codes[i - 1] ?? 0));
  return [
    ...when(codes.length > MAX_CODES, tooMany(path, codes.length, MAX_CODES)),
    ...codes.flatMap((code, i) => {
      const isRepeated = seen.has(code);
      seen.add(code);
      return [
        ...when(
          code === 0 && operator === 'In',
          invalid(path.index(i), code, 'must not be 0 for the In operator'),
        ),
        ...when(isRepeated, duplicate(path.index(i), code)),
      ];
    }),
    ...when(!isOrdered, invalid(path, codes, 'must be ordered')),
  ];
}

function validateExitCodes(
  codes: PodFailurePolicyOnExitCodesRequirement,
  containers: readonly string[],
  path: FieldPath,
): FieldError[] {
  const text = 'must be one of the container or initContainer names in the pod template';
  return [
    ...choice(codes.operator, ['In', 'NotIn'], path.child('operator')),
    ...given(codes.containerName, (name) =>
      when(!containers.includes(name), invalid(path.child('containerName'), name, text)),
    ),
    ...validateCodes(list(codes.values), String(codes.operator), path.child('values')),
  ];
}

const validateCondition = (
  condition: PodFailurePolicyOnPodConditionsPattern,
  path: FieldPath,
): FieldError[] => [
  ...check(qualifiedName, condition.type, path.child('type')),
  ...choice(condition.status, STATUSES, path.child('status')),
];

function validateFailureRule(
  rule: PodFailurePolicyRule,
  spec: JobSpec,
  containers: readonly string[],
  path: FieldPath,
): FieldError[] {
  const conditions = list(rule.onPodConditions);
  const hasConditions = conditions.length > 0;
  const needsIndex = rule.action === 'FailIndex' && (spec.backoffLimitPerIndex ?? null) === null;
  const both = 'specifying both OnExitCodes and OnPodConditions is not supported';
  const none = 'specifying one of OnExitCodes and OnPodConditions is required';
  return [
    ...choice(rule.action, ACTIONS, path.child('action')),
    ...when(
      needsIndex,
      invalid(path.child('action'), rule.action, 'requires the backoffLimitPerIndex to be set'),
    ),
    ...given(rule.onExitCodes, (codes) =>
      validateExitCodes(codes, containers, path.child('onExitCodes')),
    ),
    ...when(
      conditions.length > MAX_RULES,
      tooMany(path.child('onPodConditions'), conditions.length, MAX_RULES),
    ),
    ...eachOf(conditions, (condition, i) =>
      validateCondition(condition, path.child('onPodConditions').index(i)),
    ),
    ...when(Boolean(rule.onExitCodes) && hasConditions, omittedValue(path, both)),
    ...when(!rule.onExitCodes && !hasConditions, omittedValue(path, none)),
  ];
}

/** k8s pkg/apis/batch/validation/validation.go:validatePodFailurePolicy. */
export function validateFailurePolicy(spec: JobSpec, path: FieldPath): FieldError[] {
  return given(spec.podFailurePolicy, ({ rules }) => {
    const pod = spec.template?.spec;
    const containers = [...list(pod?.containers), ...list(pod?.initContainers)];
    const names = containers.map(({ name }) => name);
    const at = path.child('podFailurePolicy', 'rules');
    return [
      ...when(list(rules).length > MAX_RULES, tooMany(at, list(rules).length, MAX_RULES)),
      ...eachOf(rules, (rule, i) => validateFailureRule(rule, spec, names, at.index(i))),
    ];
  });
}

/** The longest `succeededIndexes`, in bytes. */
const MAX_INDEXES = 64 * 1024;

function validateSuccessRule(
  rule: SuccessPolicyRule,
  completions: number,
  path: FieldPath,
): FieldError[] {
  const { succeededCount, succeededIndexes } = rule;
  const at = path.child('succeededCount');
  const where = path.child('succeededIndexes');
  const named = typeof succeededIndexes === 'string';
  if (!named && typeof succeededCount !== 'number') {
    const text = 'at least one of succeededCount or succeededIndexes must be specified';
    return [required(path, text)];
  }
  const { total, problem } = parseIndexes(succeededIndexes ?? '', completions);
  const limit = 'must be less than or equal to';
  const ofIndexes = 'the number of indexes in the specified succeededIndexes field';
  return [
    ...when(byteLength(succeededIndexes ?? '') > MAX_INDEXES, tooLong(where, MAX_INDEXES)),
    ...given(problem, (text) => [
      invalid(where, succeededIndexes, `error parsing succeededIndexes: ${text}`),
    ]),
    ...given(succeededCount, (count) => [
      ...nonNegative(count, at),
      ...when(
        count > completions,
        invalid(at, count, `${limit} ${completions} (the number of specified completions)`),
      ),
      ...when(named && count > total, invalid(at, count, `${limit} ${total} (${ofIndexes})`)),
    ]),
  ];
}

/** k8s pkg/apis/batch/validation/validation.go:validateSuccessPolicy. */
export function validateSuccessPolicy(spec: JobSpec, path: FieldPath): FieldError[] {
  return given(spec.successPolicy, (policy) => {
    const at = path.child('successPolicy');
    if (spec.completionMode !== 'Indexed') {
      const shown = internalForm(policy, 'batch/v1.SuccessPolicy');
      return [invalid(at, shown, 'requires indexed completion mode')];
    }
    const rules = list(policy.rules);
    const text = 'at least one rules must be specified when the successPolicy is specified';
    return [
      ...when(rules.length === 0, required(at.child('rules'), text)),
      ...when(rules.length > MAX_RULES, tooMany(at.child('rules'), rules.length, MAX_RULES)),
      ...rules.flatMap((rule, i) =>
        validateSuccessRule(rule, spec.completions ?? 0, at.child('rules').index(i)),
      ),
    ];
  });
}

/** When a pod is replaced: with a policy for failures only once it has failed. */
export function validateReplacement(spec: JobSpec, path: FieldPath): FieldError[] {
  const at = path.child('podReplacementPolicy');
  const legal = spec.podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed'];
  return given(spec.podReplacementPolicy, (policy) =>
    when(!legal.includes(policy), notSupported(at, policy, legal)),
  );
}
