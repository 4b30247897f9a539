import { SelectorError } from './requirement.js';

export interface FieldRequirement {
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

/** A compiled field selector; a field the object does not have counts as empty. */
export interface FieldSelectorMatcher {
  readonly requirements: readonly FieldRequirement[];
  readonly empty: boolean;
  /** The distinct fields it looks at, to be checked against what the kind supports. */
  readonly fields: readonly string[];
  matches(fields: Readonly<Record<string, string>>): boolean;
  /** The value an `=` term demands of a field, if any: how lists by name find their one key. */
  exactValue(field: string): string | undefined;
  toString(): string;
}

/** Parses `a=b,c!=d` with `\,`, `\=` and `\\` escapes (k8s apimachinery/pkg/fields/selector.go). */
export function parseFieldSelector(text: string): FieldSelectorMatcher {
  const terms = splitTerms(text)
    .filter((term) => term !== '')
    .sort();
  const requirements = terms.map((term) => parseTerm(term, text));
  const demands = demandsOf(requirements);
  return {
    requirements,
    empty: requirements.length === 0,
    fields: demands.map(({ field }) => field),
    matches: (fields) => demands.every((demand) => demandMatches(demand, fields)),
    exactValue: (field) => requirements.find((r) => r.field === field && r.operator === '=')?.value,
    toString: () =>
      requirements.map((r) => `${r.field}${r.operator}${escapeValue(r.value)}`).join(','),
  };
}

/** What all terms together want of one field: each object of a list is asked once, however many terms there are. */
interface FieldDemand {
  readonly field: string;
  /** Values that it must have; no field has two. */
  readonly wanted: Set<string>;
  readonly refused: Set<string>;
}

function demandsOf(requirements: readonly FieldRequirement[]): FieldDemand[] {
  const byField = new Map<string, FieldDemand>();
  for (const { field, operator, value } of requirements) {
    let demand = byField.get(field);
    if (!demand) byField.set(field, (demand = { field, wanted: new Set(), refused: new Set() }));
    (operator === '=' ? demand.wanted : demand.refused).add(value);
  }
  return [...byField.values()];
}

function demandMatches(
  { field, wanted, refused }: FieldDemand,
  fields: Readonly<Record<string, string>>,
): boolean {
  const actual = Object.hasOwn(fields, field) ? (fields[field] ?? '') : '';
  if (wanted.size > 1 || refused.has(actual)) return false;
  return wanted.size === 0 || wanted.has(actual);
}

function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    const c = text.charAt(at);
    if (c === '\\') at += 1;
    else if (c === ',') {
      terms.push(text.slice(start, at));
      start = at + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}

function parseTerm(term: string, whole: string): FieldRequirement {
  const found = /^([^=!]*(?:!(?!=)[^=!]*)*)(!=|==|=)/.exec(term);
  if (!found) {
    throw new SelectorError(`invalid selector: '${whole}'; can't understand '${term}'`);
  }
  const [matched, field = '', operator] = found;
  return {
    field,
    operator: operator === '!=' ? '!=' : '=',
    value: unescapeValue(term.slice(matched.length)),
  };
}

/** Escapes a value for use in a field selector. */
export function escapeValue(value: string): string {
  return value.replace(/[\\,=]/g, '\\$&');
}

function unescapeValue(text: string): string {
  let value = '';
  for (let at = 0; at < text.length; at += 1) {
    const c = text.charAt(at);
    if (c === '\\') {
      at += 1;
      const next = text.charAt(at);
      if (!['\\', ',', '='].includes(next)) {
        throw new SelectorError(`invalid field selector: invalid escape sequence: \\${next}`);
      }
      value += next;
    } else if (c === ',' || c === '=') {
      const text = `unescaped character in value: ${c.charCodeAt(0)}`;
      throw new SelectorError(`invalid field selector: ${text}`);
    } else {
      value += c;
    }
  }
  return value;
}
