import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { invalid, required } from '@orrery/apimachinery';
import type { RuleWithOperations } from '../../../gen/types/admissionregistration.v1.js';
import { supported } from '../../../meta/fields.js';
import { when } from '../../../meta/findings.js';
import { eachOf, list } from '../../../meta/list.js';

const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];

/** A star says all: nothing may stand beside it. */
function validateStar(items: readonly string[], path: Path, others: string): FieldError[] {
  const text = `if '*' is present, must not specify other ${others}`;
  return when(items.length > 1 && items.includes('*'), invalid(path, items, text));
}

/** Resources that the stars before them cover already. */
function validateCovered(resources: readonly string[], path: Path): FieldError[] {
  const seen = new Set<string>();
  return resources.flatMap((text, i) => {
    const slash = text.indexOf('/');
    if (slash < 0) return text === '' ? [required(path.index(i))] : [];
    const [resource, subresource] = [text.slice(0, slash), text.slice(slash + 1)];
    const stars = [`${resource}/*`, `*/${subresource}`].filter((star) => seen.has(star));
    if (subresource === '*' || resource === '*') seen.add(text);
    return stars.map((star) =>
      invalid(path.index(i), text, `if '${star}' is present, must not specify ${text}`),
    );
  });
}

function validateResources(resources: readonly string[], path: Path): FieldError[] {
  const whole = resources.filter((text) => text !== '' && !text.includes('/'));
  const hasAll = resources.length > 1 && resources.includes('*/*');
  const both = whole.includes('*') && whole.at(-1) !== '*';
  return [
    ...when(resources.length === 0, required(path)),
    ...validateCovered(resources, path),
    ...when(
      hasAll,
      invalid(path, resources, "if '*/*' is present, must not specify other resources"),
    ),
    ...when(
      both,
      invalid(
        path,
        resources,
        "if '*' is present, must not specify other resources without subresources",
      ),
    ),
  ];
}

/**
 * Rules of webhooks and of policies
 * (k8s pkg/apis/admissionregistration/validation/validation.go:validateRuleWithOperations).
 */
export function validateRule(rule: RuleWithOperations, path: Path): FieldError[] {
  const { operations, apiVersions, resources } = rule;
  const some = (
    field: 'operations' | 'apiGroups' | 'apiVersions',
    others: string,
  ): FieldError[] => [
    ...when(list(rule[field]).length === 0, required(path.child(field))),
    ...validateStar(list(rule[field]), path.child(field), others),
  ];
  return [
    ...some('operations', 'operations'),
    ...eachOf(operations, (operation, i) =>
      supported(operation, OPERATIONS, path.child('operations').index(i)),
    ),
    ...some('apiGroups', 'API groups'),
    ...some('apiVersions', 'API versions'),
    ...eachOf(apiVersions, (version, i) =>
      when(version === '', required(path.child('apiVersions').index(i))),
    ),
    ...validateResources(list(resources), path.child('resources')),
    ...supported(rule.scope, ['*', 'Cluster', 'Namespaced'], path.child('scope')),
  ];
}
