import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { invalid, required, tooLong } from '@orrery/apimachinery';
import type {
  DeviceConfiguration,
  DeviceSelector,
  DeviceTaint,
  DeviceToleration,
} from '../../../gen/types/resource.v1.js';
import { oneOf } from '../../../meta/fields.js';
import { when } from '../../../meta/findings.js';
import { check, labelValue, qualifiedName } from '../../../meta/names.js';
import { selectorProblem } from './device-selector.js';
import { validateBounded, validateDriverName, validateObjectValue } from './device-names.js';

const MAX_SELECTORS = 32;
const MAX_EXPRESSION = 10 * 1024;
const MAX_PARAMETERS = 10 * 1024;
const EFFECTS = ['NoExecute', 'NoSchedule', 'None'];

export function validateConfiguration(
  config: DeviceConfiguration,
  path: FieldPath,
  isStored = false,
): FieldError[] {
  const at = path.child('opaque');
  if (!config.opaque) return [required(at)];
  const limit = isStored ? Number.POSITIVE_INFINITY : MAX_PARAMETERS;
  return [
    ...validateDriverName(config.opaque.driver, at.child('driver')),
    ...validateObjectValue(config.opaque.parameters, at.child('parameters'), limit),
  ];
}

/** Selectors are CEL expressions about one device. */
export const validateSelectors = (
  selectors: readonly DeviceSelector[] | undefined,
  path: FieldPath,
): FieldError[] =>
  validateBounded(selectors, path, { max: MAX_SELECTORS }, ({ cel }, at) => {
    if (!cel) return [required(at.child('cel'))];
    const where = at.child('cel', 'expression');
    const { expression } = cel;
    if (!expression) return [required(where)];
    if (expression.length > MAX_EXPRESSION) return [tooLong(where, MAX_EXPRESSION)];
    const problem = selectorProblem(String(expression));
    return problem === undefined ? [] : [invalid(where, expression, problem)];
  });

export const validateTaint = (taint: DeviceTaint, path: FieldPath): FieldError[] => [
  ...check(qualifiedName, taint.key, path.child('key')),
  ...(taint.value ? check(labelValue, taint.value, path.child('value')) : []),
  ...oneOf(taint.effect, EFFECTS, path.child('effect')),
];

function validateTolerationValue(toleration: DeviceToleration, path: FieldPath): FieldError[] {
  const { operator, value } = toleration;
  if (operator === 'Exists') {
    const text = 'must be empty for operator `Exists`';
    return when(Boolean(value), invalid(path.child('value'), value, text));
  }
  if (operator === 'Equal') return check(labelValue, value, path.child('value'));
  return oneOf(operator, ['Equal', 'Exists'], path.child('operator'));
}

export const validateToleration = (toleration: DeviceToleration, path: FieldPath): FieldError[] => [
  ...(toleration.key ? check(qualifiedName, toleration.key, path.child('key')) : []),
  ...validateTolerationValue(toleration, path),
  ...oneOf(toleration.effect, EFFECTS, path.child('effect'), false),
];
