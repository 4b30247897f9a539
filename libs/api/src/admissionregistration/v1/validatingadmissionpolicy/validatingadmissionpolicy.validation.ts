import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import {
  FieldPath,
  duplicate,
  invalid,
  isQualifiedName,
  notSupported,
  required,
} from '@orrery/apimachinery';
import { PolicyCompiler } from '@orrery/cel';
import type {
  AuditAnnotation,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  Validation,
} from '../../../gen/types/admissionregistration.v1.js';
import { validateConditions } from '../../../meta/conditions.js';
import { when } from '../../../meta/findings.js';
import { internalForm } from '../../../meta/internal-form.js';
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

const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge'];
const ACTIONS = ['Audit', 'Deny', 'Warn'];
const MAX_ANNOTATIONS = 20;
const MAX_VALUE_EXPRESSION = 5 * 1024;
const AT_LEAST_ONE = 'validations or auditAnnotations must contain at least one item';

const text = (value: string | undefined): string => String(value ?? '');

function validateMessage({ message, messageExpression }: Validation, path: Path): FieldError[] {
  const given = text(message);
  const expression = text(messageExpression);
  return [
    ...(expression !== '' && expression.trim() === ''
      ? [invalid(path.child('messageExpression'), expression, 'must be non-empty if specified')]
      : []),
    ...(given !== '' && given.trim() === ''
      ? [invalid(path.child('message'), given, 'must be non-empty if specified')]
      : []),
    ...(/[\n\r]/.test(given.trim())
      ? [invalid(path.child('message'), given, 'must not contain line breaks')]
      : []),
  ];
}

function validateValidation(
  validation: Validation,
  compiler: PolicyCompiler,
  path: Path,
): FieldError[] {
  const { expression, messageExpression, reason } = validation;
  const source = text(expression);
  const message = text(messageExpression);
  const at = path.child('expression');
  return [
    ...(source.trim() === ''
      ? [required(at, 'expression is not specified')]
      : expressionFindings(compiler.compile(source, 'bool'), source, at)),
    ...(message.trim() === ''
      ? []
      : expressionFindings(
          compiler.compile(message, 'string', { authorizer: false }),
          message,
          path.child('messageExpression'),
        )),
    ...validateMessage(validation, path),
    ...(reason !== undefined && !REASONS.includes(reason)
      ? [notSupported(path.child('reason'), reason, REASONS)]
      : []),
  ];
}

function validateAnnotation(
  { key, valueExpression }: AuditAnnotation,
  policy: string,
  compiler: PolicyCompiler,
  path: Path,
): FieldError[] {
  const source = text(valueExpression).trim();
  const at = path.child('valueExpression');
  const keyed =
    policy === ''
      ? [invalid(path.child('key'), key, 'requires metadata.name be non-empty')]
      : isQualifiedName(`${policy}/${key}`).map((message) =>
          invalid(path.child('key'), `${policy}/${key}`, message),
        );
  if (source === '') return [...keyed, required(at, 'valueExpression is not specified')];
  if (Buffer.byteLength(source) > MAX_VALUE_EXPRESSION)
    return [...keyed, required(at, `must not exceed ${MAX_VALUE_EXPRESSION} bytes in length`)];
  return [
    ...keyed,
    ...expressionFindings(compiler.compile(source, 'string or null'), text(valueExpression), at),
  ];
}

function validateAnnotations(
  annotations: readonly AuditAnnotation[],
  policy: string,
  compiler: PolicyCompiler,
): FieldError[] {
  const path = SPEC.child('auditAnnotations');
  const seen = new Set<string>();
  return [
    ...(annotations.length > MAX_ANNOTATIONS
      ? [
          invalid(
            path,
            annotations.map((one) => internalForm(one, 'admissionregistration/v1.AuditAnnotation')),
            `must not have more than ${MAX_ANNOTATIONS} auditAnnotations`,
          ),
        ]
      : []),
    ...annotations.flatMap((annotation, i) => {
      const repeated = seen.has(annotation.key);
      seen.add(annotation.key);
      return [
        ...validateAnnotation(annotation, policy, compiler, path.index(i)),
        ...(repeated ? [duplicate(path.index(i).child('key'), annotation.key)] : []),
      ];
    }),
  ];
}

/** k8s pkg/apis/admissionregistration/validation/validation.go:ValidateValidatingAdmissionPolicy; `old` of an update. */
export function validateValidatingAdmissionPolicy(
  { metadata, spec }: ValidatingAdmissionPolicy,
  old?: ValidatingAdmissionPolicy,
): FieldError[] {
  const { paramKind, matchConstraints, matchConditions, variables } = spec ?? {};
  const params = paramKind !== undefined;
  const compiler = new PolicyCompiler({ params, authorizer: true });
  const validations = list(spec?.validations);
  const annotations = list(spec?.auditAnnotations);
  return [
    ...validateFailurePolicy(spec?.failurePolicy),
    ...validateParamKind(paramKind, SPEC.child('paramKind')),
    ...validateMatchConstraints(matchConstraints),
    ...(old && hasSameConditions(spec, old.spec)
      ? []
      : validateMatchConditions(matchConditions, SPEC.child('matchConditions'), params)),
    ...validateVariables(variables, compiler),
    ...(validations.length + annotations.length === 0
      ? ['validations', 'auditAnnotations'].map((name) => required(SPEC.child(name), AT_LEAST_ONE))
      : []),
    ...eachOf(validations, (one, i) =>
      validateValidation(one, compiler, SPEC.child('validations').index(i)),
    ),
    ...validateAnnotations(annotations, metadata.name ?? '', compiler),
  ];
}

const STATUS = FieldPath.of('status');

/** Of JSONPath, brackets that stay open are refused. */
function validateFieldRef(given: string | undefined, at: Path): FieldError[] {
  const ref = text(given).trim();
  if (ref === '') return [required(at)];
  return when(/\[[^\]]*$/.test(ref), invalid(at, ref, 'invalid JSONPath: unterminated array'));
}

/** Same file:validateValidatingAdmissionPolicyStatus. */
export function validateValidatingAdmissionPolicyStatus({
  status,
}: ValidatingAdmissionPolicy): FieldError[] {
  const warnings = STATUS.child('typeChecking', 'expressionWarnings');
  return [
    ...eachOf(status?.typeChecking?.expressionWarnings, ({ warning, fieldRef }, i) => [
      ...when(!warning, required(warnings.index(i).child('warning'))),
      ...validateFieldRef(fieldRef, warnings.index(i).child('fieldRef')),
    ]),
    ...validateConditions(status?.conditions, STATUS.child('conditions')),
  ];
}

function validateActions(actions: readonly string[]): FieldError[] {
  const path = SPEC.child('validationActions');
  const seen = new Set<string>();
  const findings = actions.flatMap((action, i) => {
    const repeated = seen.has(action);
    seen.add(action);
    return [
      ...(ACTIONS.includes(action) ? [] : [notSupported(path.index(i), action, ACTIONS)]),
      ...(repeated ? [duplicate(path.index(i), action)] : []),
    ];
  });
  const both = seen.has('Deny') && seen.has('Warn');
  return [
    ...findings,
    ...(both
      ? [
          invalid(
            path,
            actions,
            'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
          ),
        ]
      : []),
    ...(seen.size === 0 ? [required(path, 'at least one validation action is required')] : []),
  ];
}

/** Same file:ValidateValidatingAdmissionPolicyBinding. */
export function validateValidatingAdmissionPolicyBinding({
  spec,
}: ValidatingAdmissionPolicyBinding): FieldError[] {
  return [...validateBinding(spec ?? {}), ...validateActions(list(spec?.validationActions))];
}
