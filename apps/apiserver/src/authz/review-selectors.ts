import { forbidden, invalid, isLabelValue, isQualifiedName, required } from '@orrery/apimachinery';
import type { FieldError, FieldPath } from '@orrery/apimachinery';
import type { SelectorAttributes } from '../filters/request-info.js';

type Requirement = NonNullable<SelectorAttributes['requirements']>[number];

function valueProblems({ operator, values = [] }: Requirement, path: FieldPath): FieldError[] {
  const at = path.child('values');
  switch (operator) {
    case 'In':
    case 'NotIn':
      return values.length > 0
        ? []
        : [required(at, "must be specified when `operator` is 'In' or 'NotIn'")];
    case 'Exists':
    case 'DoesNotExist':
      return values.length === 0
        ? []
        : [forbidden(at, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")];
    default:
      // Clients may know operators that this server does not.
      return [];
  }
}

const fieldProblems = (requirement: Requirement, path: FieldPath): FieldError[] => [
  ...(requirement.key ? [] : [required(path.child('key'), 'must be specified')]),
  ...valueProblems(requirement, path),
];

const labelProblems = (requirement: Requirement, path: FieldPath): FieldError[] => [
  ...valueProblems(requirement, path),
  ...isQualifiedName(String(requirement.key ?? '')).map((text) =>
    invalid(path.child('key'), requirement.key ?? '', text),
  ),
  ...(requirement.values ?? []).flatMap((value, i) =>
    isLabelValue(String(value)).map((text) => invalid(path.child('values').index(i), value, text)),
  ),
];

function problemsOf(
  selector: SelectorAttributes | undefined,
  path: FieldPath,
  each: (requirement: Requirement, path: FieldPath) => FieldError[],
): FieldError[] {
  if (!selector) return [];
  const { rawSelector = '', requirements = [] } = selector;
  const at = path.child('requirements');
  const both = 'may not specified at the same time as requirements';
  return [
    ...(rawSelector !== '' && requirements.length > 0
      ? [invalid(path.child('rawSelector'), rawSelector, both)]
      : []),
    ...(rawSelector === '' && requirements.length === 0
      ? [
          required(
            at,
            `when ${path.toString()} is specified, requirements or rawSelector is required`,
          ),
        ]
      : []),
    ...requirements.flatMap((requirement, i) => each(requirement, at.index(i))),
  ];
}

/** k8s pkg/apis/authorization/validation/validation.go:validateResourceAttributes. */
export const selectorProblems = (
  attributes:
    | { readonly fieldSelector?: SelectorAttributes; readonly labelSelector?: SelectorAttributes }
    | undefined,
  path: FieldPath,
): FieldError[] => [
  ...problemsOf(attributes?.fieldSelector, path.child('fieldSelector'), fieldProblems),
  ...problemsOf(attributes?.labelSelector, path.child('labelSelector'), labelProblems),
];
