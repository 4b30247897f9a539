import { isLabelValue, isQualifiedName } from '../validation/names.js';

export type SelectorOperator = 'in' | 'notin' | '=' | '==' | '!=' | 'gt' | 'lt' | 'exists' | '!';

export const BINARY_OPERATORS: readonly SelectorOperator[] = [
  'in',
  'notin',
  '=',
  '==',
  '!=',
  'gt',
  'lt',
];

/** A selector text or object that cannot be used; messages as k8s apimachinery/pkg/labels/selector.go. */
export class SelectorError extends Error {
  override readonly name = 'SelectorError';
}

export type Labels = Readonly<Record<string, string>>;

/** One term of a label selector; values are sorted and distinct. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: SelectorOperator;
  readonly values: readonly string[];
}

const invalidAt = (path: string, value: string, detail: string): SelectorError =>
  new SelectorError(`${path}: Invalid value: ${value}: ${detail}`);

export function checkLabelKey(key: string): void {
  const errors = isQualifiedName(key);
  if (errors.length > 0) throw invalidAt('<nil>', JSON.stringify(key), errors.join('; '));
}

function checkCount(operator: SelectorOperator, values: readonly string[]): void {
  const shown = (): string => JSON.stringify(values);
  if (operator === 'in' || operator === 'notin') {
    if (values.length === 0) {
      throw invalidAt('values', shown(), "for 'in', 'notin' operators, values set can't be empty");
    }
  } else if (operator === 'exists' || operator === '!') {
    if (values.length > 0) {
      throw invalidAt('values', shown(), 'values set must be empty for exists and does not exist');
    }
  } else if (operator === 'gt' || operator === 'lt') {
    if (values.length !== 1) {
      throw invalidAt('values', shown(), "for 'Gt', 'Lt' operators, exactly one value is required");
    }
    const [value = ''] = values;
    if (!/^[+-]?\d+$/.test(value)) {
      const text = "for 'Gt', 'Lt' operators, the value must be an integer";
      throw invalidAt('values[0]', JSON.stringify(value), text);
    }
  } else if (values.length !== 1) {
    throw invalidAt('values', shown(), 'exact-match compatibility requires one single value');
  }
}

/** Builds a checked requirement or throws {@link SelectorError}. */
export function newRequirement(
  key: string,
  operator: SelectorOperator,
  given: readonly string[],
): LabelRequirement {
  checkLabelKey(key);
  const values = given.length > 1 ? [...new Set(given)].sort() : given;
  checkCount(operator, values);
  values.forEach((value, i) => {
    const errors = isLabelValue(value);
    if (errors.length > 0) {
      throw invalidAt(`values[${i}][${key}]`, JSON.stringify(value), errors.join('; '));
    }
  });
  return { key, operator, values };
}

function compareIntegers(operator: 'gt' | 'lt', label: string, wanted: string): boolean {
  if (!/^[+-]?\d+$/.test(label)) return false;
  const [a, b] = [BigInt(label.replace('+', '')), BigInt(wanted.replace('+', ''))];
  return operator === 'gt' ? a > b : a < b;
}

/** Whether sorted values hold this one: each object of a list may be asked. */
function has(values: readonly string[], wanted: string): boolean {
  if (values.length <= 8) return values.includes(wanted);
  let [from, to] = [0, values.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((values[middle] ?? '') < wanted) from = middle + 1;
    else to = middle;
  }
  return values[from] === wanted;
}

export function requirementMatches(requirement: LabelRequirement, labels: Labels): boolean {
  const { key, operator, values } = requirement;
  const label = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'exists':
      return label !== undefined;
    case '!':
      return label === undefined;
    case 'in':
    case '=':
    case '==':
      return label !== undefined && has(values, label);
    case 'notin':
    case '!=':
      return label === undefined || !has(values, label);
    case 'gt':
    case 'lt':
      return label !== undefined && compareIntegers(operator, label, values[0] ?? '');
  }
}

const SYMBOLS: Partial<Record<SelectorOperator, string>> = { gt: '>', lt: '<' };

export function printRequirement({ key, operator, values }: LabelRequirement): string {
  if (operator === 'exists') return key;
  if (operator === '!') return `!${key}`;
  if (operator === 'in' || operator === 'notin') return `${key} ${operator} (${values.join(',')})`;
  return `${key}${SYMBOLS[operator] ?? operator}${values[0] ?? ''}`;
}
