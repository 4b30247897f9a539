import type { Container, LabelSelector, PodTemplateSpec } from '../types.js';
import { entries, list } from '../meta/list.js';

const orNone = (text: string): string => (text === '' ? '<none>' : text);

/** Labels as kubectl prints them: `a=b,c=d`, `<none>` when empty. */
export function formatLabels(labels: Readonly<Record<string, string>> | undefined): string {
  return orNone(
    entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .sort()
      .join(','),
  );
}

const OPERATORS: ReadonlyMap<string, string> = new Map([
  ['In', 'in'],
  ['NotIn', 'notin'],
]);

/** A selector in the form that list requests take: `a=b,c in (d,e),!f`; '' selects everything. */
export function selectorText(selector: LabelSelector | undefined): string {
  const terms = entries(selector?.matchLabels).map(([key, value]) => ({
    key,
    text: `${key}=${value}`,
  }));
  for (const { key, operator, values } of list(selector?.matchExpressions)) {
    const set = [...list(values)].sort().join(',');
    if (operator === 'Exists') terms.push({ key, text: key });
    else if (operator === 'DoesNotExist') terms.push({ key, text: `!${key}` });
    else terms.push({ key, text: `${key} ${OPERATORS.get(operator) ?? operator} (${set})` });
  }
  return terms
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map((term) => term.text)
    .join(',');
}

/** {@link selectorText} as a table cell. */
export function formatSelector(selector: LabelSelector | undefined): string {
  if (!selector) return '<none>';
  return orNone(selectorText(selector));
}

const containersOf = (template: PodTemplateSpec | undefined): readonly Container[] =>
  list(template?.spec?.containers);

export const containerNames = (template: PodTemplateSpec | undefined): string =>
  containersOf(template)
    .map((container) => container.name)
    .join(',');

export const containerImages = (template: PodTemplateSpec | undefined): string =>
  containersOf(template)
    .map((container) => container.image ?? '')
    .join(',');

/** `a,b,c + 2 more...`: at most `max` of the items. */
export function firstOf(items: readonly string[], max: number): string {
  const rest = items.length - max;
  return rest > 0 ? `${items.slice(0, max).join(',')} + ${rest} more...` : items.join(',');
}
