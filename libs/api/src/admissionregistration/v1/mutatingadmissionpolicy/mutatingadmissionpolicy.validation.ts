import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { invalid, notSupported, required } from '@orrery/apimachinery';
import { PolicyCompiler } from '@orrery/cel';
import type {
  MatchResources,
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  Mutation,
} from '../../../gen/types/admissionregistration.v1.js';
import { oneOf, supported } from '../../../meta/fields.js';
import { when } from '../../../meta/findings.js';
import { eachOf, list } from '../../../meta/list.js';
import {
  SPEC,
  validateBinding,
  validateFailurePolicy,
  validateMatchConstraints,
  validateParamKind,
  validateVariables,
} from '../policy/policy.validation.js';
import {
  expressionFindings,
  hasSameConditions,
  validateMatchConditions,
} from '../policy/match-conditions.validation.js';

const PATCH_TYPES = ['ApplyConfiguration', 'JSONPatch'];

function validateExpression(
  source: string | undefined,
  wanted: 'object' | 'patch',
  compiler: PolicyCompiler,
  path: Path,
): FieldError[] {
  const text = String(source ?? '');
  if (text.trim() === '') return [required(path)];
  return expressionFindings(compiler.compile(text, wanted, { patches: true }), text.trim(), path);
}

function validateMutation(
  { patchType, applyConfiguration, jsonPatch }: Mutation,
  compiler: PolicyCompiler,
  path: Path,
): FieldError[] {
  const apply = path.child('applyConfiguration');
  const patch = path.child('jsonPatch');
  switch (patchType) {
    case 'ApplyConfiguration':
      return [
        ...(applyConfiguration
          ? validateExpression(
              applyConfiguration.expression,
              'object',
              compiler,
              apply.child('expression'),
            )
          : [required(apply, 'must be specified when patchType is ApplyConfiguration')]),
        ...when(
          Boolean(jsonPatch),
          invalid(
            patch,
            '{jsonPatch}',
            'must not be specified when patchType is ApplyConfiguration',
          ),
        ),
      ];
    case 'JSONPatch':
      return [
        ...(jsonPatch
          ? validateExpression(jsonPatch.expression, 'patch', compiler, patch.child('expression'))
          : [required(patch, 'must be specified when patchType is JSONPatch')]),
        ...when(
          Boolean(applyConfiguration),
          invalid(
            apply,
            '{applyConfiguration}',
            'must not be specified when patchType is JSONPatch',
          ),
        ),
      ];
    default:
      return [
        patchType
          ? notSupported(path.child('patchType'), patchType, PATCH_TYPES)
          : required(path.child('patchType')),
      ];
  }
}

const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'UPDATE'];

/** Deletes have nothing to mutate; upstream's path does not say which rule it is about. */
const validateOperations = (resources: MatchResources | undefined, path: Path): FieldError[] =>
  eachOf(resources?.resourceRules, ({ operations }) =>
    eachOf(operations, (operation) =>
      supported(operation, OPERATIONS, path.child('resourceRules', 'operations')),
    ),
  );

/** k8s pkg/apis/admissionregistration/validation/validation.go:ValidateMutatingAdmissionPolicy; `old` of an update. */
export function validateMutatingAdmissionPolicy(
  { spec }: MutatingAdmissionPolicy,
  old?: MutatingAdmissionPolicy,
): FieldError[] {
  const { paramKind, matchConstraints, matchConditions, variables } = spec ?? {};
  const params = paramKind !== undefined;
  const compiler = new PolicyCompiler({ params, authorizer: true });
  const mutations = list(spec?.mutations);
  return [
    ...validateFailurePolicy(spec?.failurePolicy),
    ...validateParamKind(paramKind, SPEC.child('paramKind')),
    ...validateMatchConstraints(matchConstraints),
    ...validateOperations(matchConstraints, SPEC.child('matchConstraints')),
    ...(old && hasSameConditions(spec, old.spec)
      ? []
      : validateMatchConditions(matchConditions, SPEC.child('matchConditions'), params)),
    ...validateVariables(variables, compiler),
    ...(mutations.length === 0
      ? [required(SPEC.child('mutations'), 'mutations must contain at least one item')]
      : []),
    ...eachOf(mutations, (mutation, i) =>
      validateMutation(mutation, compiler, SPEC.child('mutations').index(i)),
    ),
    ...oneOf(spec?.reinvocationPolicy, ['IfNeeded', 'Never'], SPEC.child('reinvocationPolicy')),
  ];
}

/** Same file:ValidateMutatingAdmissionPolicyBinding. */
export const validateMutatingAdmissionPolicyBinding = ({
  spec,
}: MutatingAdmissionPolicyBinding): FieldError[] => [
  ...validateBinding(spec ?? {}),
  ...validateOperations(spec?.matchResources, SPEC.child('matchResources')),
];
