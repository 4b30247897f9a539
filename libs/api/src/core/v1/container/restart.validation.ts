import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { notSupported, required, tooMany } from '@orrery/apimachinery';
import type { Container } from '../../../types.js';
import { when } from '../../../meta/findings.js';
import { eachOf, list } from '../../../meta/list.js';

const POLICIES = ['Always', 'Never', 'OnFailure'];
const OPERATORS = ['In', 'NotIn'];
const ACTIONS = ['Restart', 'RestartAllContainers'];
const NEEDS_POLICY = 'must specify restartPolicy when restart rules are used';
const MAX_RULES = 20;
const MAX_CODES = 255;

function validateRules(container: Container, path: FieldPath): FieldError[] {
  const rules = list(container.restartPolicyRules);
  return [
    ...when(rules.length > MAX_RULES, tooMany(path, rules.length, MAX_RULES)),
    ...eachOf(rules, ({ action, exitCodes }, i) => {
      const at = path.index(i);
      const codes = at.child('exitCodes');
      const badAction = when(
        !ACTIONS.includes(action),
        notSupported(at.child('action'), action ?? '', ACTIONS),
      );
      if (!exitCodes) return [...badAction, required(codes, 'must be specified')];
      const { operator, values } = exitCodes;
      return [
        ...badAction,
        ...when(
          !OPERATORS.includes(operator),
          notSupported(codes.child('operator'), operator ?? '', OPERATORS),
        ),
        ...when(
          list(values).length > MAX_CODES,
          tooMany(codes.child('values'), list(values).length, MAX_CODES),
        ),
      ];
    }),
  ];
}

/**
 * When a container starts again by itself, or all of its pod do; sidecars too
 * (k8s pkg/apis/core/validation/validation.go:validateContainerRestartPolicy).
 */
export function validateRestart(container: Container, path: FieldPath): FieldError[] {
  const { restartPolicy } = container;
  const at = path.child('restartPolicy');
  const hasRules = list(container.restartPolicyRules).length > 0;
  return [
    ...(restartPolicy === undefined || restartPolicy === null
      ? when(hasRules, required(at, NEEDS_POLICY))
      : when(!POLICIES.includes(restartPolicy), notSupported(at, restartPolicy, POLICIES))),
    ...validateRules(container, path.child('restartPolicyRules')),
  ];
}

/** The same for init containers, of which those without a policy are told that alone. */
export function validateInitRestart(container: Container, path: FieldPath): FieldError[] {
  const hasRules = list(container.restartPolicyRules).length > 0;
  if ((container.restartPolicy ?? null) !== null) return validateRestart(container, path);
  return when(hasRules, required(path.child('restartPolicy'), NEEDS_POLICY));
}
