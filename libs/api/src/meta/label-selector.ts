import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { forbidden, invalid, required, validateLabels } from '@orrery/apimachinery';
import type { LabelSelector } from '../types.js';
import { eachOf, entries, list } from './list.js';
import { check, labelValue, qualifiedName } from './names.js';

/** Labels as metadata or as a set that must match. */
export { validateLabels };

/** k8s apimachinery pkg/apis/meta/v1/validation:ValidateLabelSelector; expressions of old may have any values. */
export function validateLabelSelector(
  selector: LabelSelector | undefined,
  path: FieldPath,
  allowsAnyValue = false,
): FieldError[] {
  if (!selector) return [];
  return [
    ...validateLabels(selector.matchLabels, path.child('matchLabels')),
    ...eachOf(selector.matchExpressions, (term, i) => {
      const at = path.child('matchExpressions').index(i);
      return [
        ...validateValues(term.operator, list(term.values), at),
        ...check(qualifiedName, term.key, at.child('key')),
        ...eachOf(allowsAnyValue ? [] : term.values, (value, v) =>
          check(labelValue, value, at.child('values').index(v)),
        ),
      ];
    }),
  ];
}

function validateValues(
  operator: string | undefined,
  values: readonly string[],
  at: FieldPath,
): FieldError[] {
  switch (operator) {
    case 'In':
    case 'NotIn':
      return values.length > 0
        ? []
        : [required(at.child('values'), "must be specified when `operator` is 'In' or 'NotIn'")];
    case 'Exists':
    case 'DoesNotExist':
      return values.length === 0
        ? []
        : [
            forbidden(
              at.child('values'),
              "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            ),
          ];
    default:
      return [invalid(at.child('operator'), operator ?? '', 'not a valid selector operator')];
  }
}

/** True when every requirement of the selector holds for the labels; an absent selector matches nothing. */
export function selectorMatches(
  selector: LabelSelector | undefined,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  if (!selector) return false;
  const has = labels ?? {};
  return (
    entries(selector.matchLabels).every(([key, value]) => has[key] === value) &&
    list(selector.matchExpressions).every(({ key, operator, values }) => {
      const value = has[key];
      const inSet = value !== undefined && list(values).includes(value);
      if (operator === 'In') return inSet;
      if (operator === 'NotIn') return !inSet;
      return operator === 'Exists' ? value !== undefined : value === undefined;
    })
  );
}

/** True for a selector without requirements. */
export const isEmptySelector = (selector: LabelSelector | undefined): boolean =>
  entries(selector?.matchLabels).length + list(selector?.matchExpressions).length === 0;
