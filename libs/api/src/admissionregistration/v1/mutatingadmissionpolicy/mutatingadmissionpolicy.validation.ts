import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { forbidden, notSupported, required } from '@orrery/apimachinery';
import { PolicyCompiler } from '@orrery/cel';
import type {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  Mutation,
} from '../../../gen/types/admissionregistration.v1.js';
import { oneOf } from '../../../meta/fields.js';
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
  if (text.trim() === '') return [required(path, 'expression is not specified')];
  return expressionFindings(compiler.compile(text, wanted, { patches: true }), text, path);
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
        ...(jsonPatch
          ? [forbidden(patch, 'must not be specified when patchType is ApplyConfiguration')]
          : []),
      ];
    case 'JSONPatch':
      return [
        ...(jsonPatch
          ? validateExpression(jsonPatch.expression, 'patch', compiler, patch.child('expression'))
          : [required(patch, 'must be specified when patchType is JSONPatch')]),
        ...(applyConfiguration
          ? [forbidden(apply, 'must not be specified when patchType is JSONPatch')]
          : []),
      ];
    default:
      return [
        patchType
          ? notSupported(path.child('patchType'), patchType, PATCH_TYPES)
          : required(path.child('patchType')),
      ];
  }
}

/** k8s pkg/apis/admissionregistration/validation/validation.go:ValidateMutatingAdmissionPolicy. */
export function validateMutatingAdmissionPolicy({ spec }: MutatingAdmissionPolicy): FieldError[] {
  const { paramKind, matchConstraints, matchConditions, variables } = spec ?? {};
  const params = paramKind !== undefined;
  const compiler = new PolicyCompiler({ params, authorizer: true });
  const mutations = list(spec?.mutations);
  return [
    ...validateFailurePolicy(spec?.failurePolicy),
    ...validateParamKind(paramKind, SPEC.child('paramKind')),
    ...validateMatchConstraints(matchConstraints),
    ...validateMatchConditions(matchConditions, SPEC.child('matchConditions'), params),
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
}: MutatingAdmissionPolicyBinding): FieldError[] => validateBinding(spec ?? {});
