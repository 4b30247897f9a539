import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { forbidden, notSupported, required, tooLong } from '@orrery/apimachinery';
import type { Container } from '../../../types.js';
import { when } from '../../../meta/findings.js';
import { eachOf, list } from '../../../meta/list.js';

const POLICIES = ['Always', 'Never', 'OnFailure'];
const OPERATORS = ['In', 'NotIn'];
const MAX_RULES = 20;
const MAX_CODES = 255;

function validateRules(container: Container, path: FieldPath): FieldError[] {
  const rules = list(container.restartPolicyRules);
  return [
    ...when(rules.length > MAX_RULES, tooLong(path, MAX_RULES)),
    ...eachOf(rules, ({ action, exitCodes }, i) => {
      const at = path.index(i);
      const legal = action === 'Restart';
      if (!exitCodes) {
        return [
          ...when(!legal, notSupported(at.child('action'), action ?? '', ['Restart'])),
          required(at.child('exitCodes'), 'must be specified'),
        ];
      }
      const { operator, values } = exitCodes;
      const codes = at.child('exitCodes');
      return [
        ...when(!legal, notSupported(at.child('action'), action ?? '', ['Restart'])),
        ...when(
          !OPERATORS.includes(operator),
          notSupported(codes.child('operator'), operator ?? '', OPERATORS),
        ),
        ...when(list(values).length > MAX_CODES, tooLong(codes.child('values'), MAX_CODES)),
      ];
    }),
  ];
}

/** When a container starts again by itself (k8s pkg/apis/core/validation/validation.go:validateContainerRestartPolicy). */
export function validateRestart(container: Container, path: FieldPath): FieldError[] {
  const { restartPolicy } = container;
  const at = path.child('restartPolicy');
  const hasRules = list(container.restartPolicyRules).length > 0;
  const missing = 'must specify restartPolicy when restart rules are used';
  return [
    ...(restartPolicy === undefined || restartPolicy === null
      ? when(hasRules, required(at, missing))
      : when(!POLICIES.includes(restartPolicy), notSupported(at, restartPolicy, POLICIES))),
    ...validateRules(container, path.child('restartPolicyRules')),
  ];
}

/** The same for init containers, of which those that always restart run beside the pod's containers. */
export function validateInitRestart(container: Container, path: FieldPath): FieldError[] {
  if (container.restartPolicy === undefined || container.restartPolicy === null) return [];
  if (container.restartPolicy !== 'Always') return validateRestart(container, path);
  return when(
    list(container.restartPolicyRules).length > 0,
    forbidden(
      path.child('restartPolicyRules'),
      'restartPolicyRules are not allowed for init containers with restart policy Always',
    ),
  );
}
