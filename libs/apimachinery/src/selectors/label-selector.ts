import { lexLabelSelector } from './label-lexer.js';
import type { Token, TokenKind } from './label-lexer.js';
import {
  BINARY_OPERATORS,
  checkLabelKey,
  newRequirement,
  printRequirement,
  requirementMatches,
  SelectorError,
} from './requirement.js';
import type { LabelRequirement, Labels, SelectorOperator } from './requirement.js';

/** A compiled label selector; every requirement must hold. */
export interface LabelSelectorMatcher {
  readonly requirements: readonly LabelRequirement[];
  /** True when it selects everything. */
  readonly empty: boolean;
  matches(labels: Labels | undefined): boolean;
  /** The text form, terms ordered by key. */
  toString(): string;
}

const byKey = (a: LabelRequirement, b: LabelRequirement): number =>
  a.key < b.key ? -1 : a.key > b.key ? 1 : 0;

function newMatcher(list: readonly LabelRequirement[]): LabelSelectorMatcher {
  const requirements = [...list].sort(byKey);
  return {
    requirements,
    empty: requirements.length === 0,
    matches: (labels) => requirements.every((r) => requirementMatches(r, labels ?? {})),
    toString: () => requirements.map(printRequirement).join(','),
  };
}

/** Selects every object. */
export const everything: LabelSelectorMatcher = newMatcher([]);

/** Selects no object: what an absent LabelSelector means. */
export const nothing: LabelSelectorMatcher = {
  requirements: [],
  empty: false,
  matches: () => false,
  toString: () => '',
};

/** Parses a selector text (`app=web,tier in (a,b),!canary`); throws {@link SelectorError} with upstream's text. */
export function parseLabelSelector(text: string): LabelSelectorMatcher {
  return newMatcher(new Parser(lexLabelSelector(text)).parse());
}

const OPERATOR_OF: Partial<Record<TokenKind, SelectorOperator>> = {
  in: 'in',
  notin: 'notin',
  '=': '=',
  '==': '==',
  '!=': '!=',
  '>': 'gt',
  '<': 'lt',
};

/** Upstream knows no limit; each object of a list is asked about each requirement. */
const MAX_REQUIREMENTS = 1000;

class Parser {
  private at = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  parse(): LabelRequirement[] {
    const requirements: LabelRequirement[] = [];
    for (;;) {
      const token = this.peek();
      if (token.kind === 'end') return requirements;
      if (token.kind !== 'identifier' && token.kind !== '!') {
        throw new SelectorError(
          `found '${token.text}', expected: !, identifier, or 'end of string'`,
        );
      }
      requirements.push(this.requirementInContext());
      if (requirements.length > MAX_REQUIREMENTS)
        throw new SelectorError(`too many requirements: the limit is ${MAX_REQUIREMENTS}`);
      const next = this.take();
      if (next.kind === 'end') return requirements;
      if (next.kind !== ',') {
        throw new SelectorError(`found '${next.text}', expected: ',' or 'end of string'`);
      }
      const after = this.peek();
      if (after.kind !== 'identifier' && after.kind !== '!') {
        throw new SelectorError(`found '${after.text}', expected: identifier after ','`);
      }
    }
  }

  private requirementInContext(): LabelRequirement {
    try {
      return this.requirement();
    } catch (error) {
      if (!(error instanceof SelectorError)) throw error;
      throw new SelectorError(`unable to parse requirement: ${error.message}`);
    }
  }

  private requirement(): LabelRequirement {
    const negated = this.peek().kind === '!';
    if (negated) this.take();
    const token = this.take();
    if (token.kind !== 'identifier') {
      throw new SelectorError(`found '${token.text}', expected: identifier`);
    }
    checkLabelKey(token.text);
    const next = this.peek().kind;
    if (negated) return newRequirement(token.text, '!', []);
    if (next === 'end' || next === ',') return newRequirement(token.text, 'exists', []);
    const operator = this.operator();
    const isSet = operator === 'in' || operator === 'notin';
    return newRequirement(token.text, operator, isSet ? this.valueSet() : this.exactValue());
  }

  private operator(): SelectorOperator {
    const token = this.take('operator');
    const operator = OPERATOR_OF[token.kind];
    if (operator) return operator;
    throw new SelectorError(`found '${token.text}', expected: ${BINARY_OPERATORS.join(', ')}`);
  }

  private valueSet(): string[] {
    const open = this.take();
    if (open.kind !== '(') throw new SelectorError(`found '${open.text}' expected: '('`);
    const first = this.peek();
    if (first.kind === ')') {
      this.take();
      return [''];
    }
    if (first.kind !== 'identifier' && first.kind !== ',') {
      throw new SelectorError(`found '${first.text}', expected: ',', ')' or identifier`);
    }
    const values = this.identifiers();
    this.take();
    return values;
  }

  /** Up to, not including, the closing parenthesis; `(,`, `,,` and `,)` hold an empty value. */
  private identifiers(): string[] {
    const values: string[] = [];
    for (;;) {
      const token = this.take();
      const next = this.peek();
      if (token.kind === 'identifier') {
        values.push(token.text);
        if (next.kind === ')') return values;
        if (next.kind !== ',') {
          throw new SelectorError(`found '${next.text}', expected: ',' or ')'`);
        }
      } else if (token.kind === ',') {
        if (values.length === 0 || next.kind === ',' || next.kind === ')') values.push('');
        if (next.kind === ')') return values;
        if (next.kind === ',') this.take();
      } else {
        throw new SelectorError(`found '${token.text}', expected: ',', or identifier`);
      }
    }
  }

  private exactValue(): string[] {
    const next = this.peek();
    if (next.kind === 'end' || next.kind === ',') return [''];
    const token = this.take();
    if (token.kind === 'identifier') return [token.text];
    throw new SelectorError(`found '${token.text}', expected: identifier`);
  }

  /** Outside the operator's place, `in` and `notin` are plain words. */
  private peek(place: 'value' | 'operator' = 'value'): Token {
    const token = this.tokens[this.at] ?? { kind: 'end', text: '' };
    const isWord = token.kind === 'in' || token.kind === 'notin';
    return place === 'value' && isWord ? { kind: 'identifier', text: token.text } : token;
  }

  private take(place: 'value' | 'operator' = 'value'): Token {
    const token = this.peek(place);
    this.at += 1;
    return token;
  }
}

/** meta/v1 LabelSelector as it comes in objects. */
export interface LabelSelectorObject {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

const EXPRESSION_OPERATORS: Readonly<Record<string, SelectorOperator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
};

/** Compiles a LabelSelector object: absent selects nothing, empty everything. Throws {@link SelectorError}. */
export function labelSelectorMatcher(
  selector: LabelSelectorObject | null | undefined,
): LabelSelectorMatcher {
  if (!selector) return nothing;
  const fromLabels = Object.entries(selector.matchLabels ?? {}).map(([key, value]) =>
    newRequirement(key, '=', [value]),
  );
  const fromExpressions = (selector.matchExpressions ?? []).map((expression) => {
    const operator = Object.hasOwn(EXPRESSION_OPERATORS, expression.operator)
      ? EXPRESSION_OPERATORS[expression.operator]
      : undefined;
    if (!operator) {
      throw new SelectorError(
        `${JSON.stringify(expression.operator)} is not a valid label selector operator`,
      );
    }
    return newRequirement(expression.key, operator, expression.values ?? []);
  });
  return newMatcher([...fromLabels, ...fromExpressions]);
}

/** A matcher for a plain map (Service and ReplicationController selectors); no map selects nothing. */
export function labelMapMatcher(labels: Labels | null | undefined): LabelSelectorMatcher {
  return labels && Object.keys(labels).length > 0
    ? labelSelectorMatcher({ matchLabels: labels })
    : nothing;
}

/** A LabelSelector as kubectl prints it: `<none>` when empty or absent, `<error>` when unusable. */
export function formatLabelSelector(selector: LabelSelectorObject | null | undefined): string {
  try {
    return labelSelectorMatcher(selector).toString() || '<none>';
  } catch (error) {
    if (error instanceof SelectorError) return '<error>';
    throw error;
  }
}
