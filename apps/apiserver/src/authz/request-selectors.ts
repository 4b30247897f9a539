import { parseFieldSelector, parseLabelSelector } from '@orrery/apimachinery';
import type { LabelRequirement } from '@orrery/apimachinery';
import type { RequestInfo, SelectorAttributes } from '../filters/request-info.js';

/** One term of a selector as a SubjectAccessReview tells it. */
export interface SelectorTerm {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

/** The terms that could be read. Terms only narrow: what could not be read makes the question broader, never the answer. */
export interface SelectorTerms {
  readonly terms: readonly SelectorTerm[];
  readonly hasError: boolean;
}

const NONE: SelectorTerms = { terms: [], hasError: false };

const fieldTerm = (key: string, operator: '=' | '!=', value: string): SelectorTerm => ({
  key,
  operator: operator === '=' ? 'In' : 'NotIn',
  values: [value],
});

const LABEL_OPERATORS: Readonly<Record<string, string>> = {
  '=': 'In',
  '==': 'In',
  in: 'In',
  '!=': 'NotIn',
  notin: 'NotIn',
  exists: 'Exists',
  '!': 'DoesNotExist',
};

/** None for `gt` and `lt`, which reviews cannot tell. */
function labelTerm({ key, operator, values }: LabelRequirement): SelectorTerm[] {
  const told = LABEL_OPERATORS[operator];
  if (told === undefined) return [];
  return [{ key, operator: told, ...(values.length > 0 ? { values } : {}) }];
}

function readRaw(read: () => readonly SelectorTerm[]): SelectorTerms {
  try {
    return { terms: read(), hasError: false };
  } catch {
    return { terms: [], hasError: true };
  }
}

function termsOf(
  given: SelectorAttributes | undefined,
  parse: (raw: string) => readonly SelectorTerm[],
  isLegal: (term: SelectorTerm) => boolean,
): SelectorTerms {
  const requirements = given?.requirements ?? [];
  if (requirements.length > 0) {
    const terms = requirements.filter(isLegal);
    return { terms, hasError: terms.length < requirements.length };
  }
  const raw = given?.rawSelector ?? '';
  return raw === '' ? NONE : readRaw(() => parse(raw));
}

const FIELD_OPERATORS = new Set(['In', 'NotIn']);
const LABEL_TERMS = new Set(['In', 'NotIn', 'Exists', 'DoesNotExist']);

/** Field selectors know equality alone (k8s pkg/registry/authorization/util/helpers.go:fieldSelectorAsSelector). */
export const fieldTerms = ({ selectors }: RequestInfo): SelectorTerms =>
  termsOf(
    selectors?.field,
    (raw) =>
      parseFieldSelector(raw).requirements.map(({ field, operator, value }) =>
        fieldTerm(field, operator, value),
      ),
    ({ operator, values }) => FIELD_OPERATORS.has(operator) && values?.length === 1,
  );

/** Same file:labelSelectorAsSelector. */
export const labelTerms = ({ selectors }: RequestInfo): SelectorTerms =>
  termsOf(
    selectors?.label,
    (raw) => parseLabelSelector(raw).requirements.flatMap(labelTerm),
    ({ operator }) => LABEL_TERMS.has(operator),
  );

/** True where the request is bound to what has this value in this field. */
export const isScopedTo = (info: RequestInfo, field: string, value: string): boolean =>
  fieldTerms(info).terms.some(
    ({ key, operator, values }) => key === field && operator === 'In' && values?.[0] === value,
  );

/** `fieldSelector` and `labelSelector` of a review's resourceAttributes; absent where there are no terms. */
export function selectorAttributes(info: RequestInfo): {
  readonly fieldSelector?: { readonly requirements: readonly SelectorTerm[] };
  readonly labelSelector?: { readonly requirements: readonly SelectorTerm[] };
} {
  if (!info.selectors) return {};
  const field = fieldTerms(info).terms;
  const label = labelTerms(info).terms;
  return {
    ...(field.length > 0 ? { fieldSelector: { requirements: field } } : {}),
    ...(label.length > 0 ? { labelSelector: { requirements: label } } : {}),
  };
}
