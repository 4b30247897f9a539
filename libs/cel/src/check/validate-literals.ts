import { parseDateTime, parseGoDuration } from '../values/formats.js';
import { regexProblem } from '../functions/regex.js';
import type { CallExpr, Expr } from '../syntax/expr.js';
import type { Issue } from '../syntax/issues.js';

/** Functions whose literal argument (the last one) can be judged before anything runs. */
const CHECKS: Readonly<Record<string, (text: string) => boolean>> = {
  duration: (text) => parseGoDuration(text) !== undefined,
  timestamp: (text) => parseDateTime(text) !== undefined,
  matches: (text) => regexProblem(text) === undefined,
};

function checkCall({ name, args }: CallExpr, issues: Issue[]): void {
  const check = Object.hasOwn(CHECKS, name) ? CHECKS[name] : undefined;
  const last = args.at(-1);
  if (check && last?.kind === 'literal' && typeof last.value === 'string' && !check(last.value))
    issues.push({ offset: last.offset, message: `invalid ${name} argument` });
}

function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'select':
      return [expr.operand];
    case 'call':
      return expr.target ? [expr.target, ...expr.args] : expr.args;
    case 'list':
      return expr.elements;
    case 'map':
      return expr.entries.flatMap(({ key, value }) => [key, value]);
    case 'struct':
      return expr.fields.map(({ value }) => value);
    case 'comprehension':
      return [expr.range, expr.init, expr.condition, expr.step, expr.result];
    default:
      return [];
  }
}

/** Every node below and with `expr`. */
export function* walk(expr: Expr): IterableIterator<Expr> {
  yield expr;
  for (const child of childrenOf(expr)) yield* walk(child);
}

/** Durations, timestamps and patterns that are written out must be good (cel-go cel/validator.go). */
export function validateLiterals(expr: Expr): Issue[] {
  const issues: Issue[] = [];
  for (const node of walk(expr)) if (node.kind === 'call') checkCall(node, issues);
  return issues;
}
