import { Checker } from './check/checker.js';
import type { Environment } from './check/environment.js';
import { validateLiterals } from './check/validate-literals.js';
import type { CostRange } from './cost/estimate.js';
import { estimateCost } from './cost/estimate.js';
import { Frame } from './evaluate/frame.js';
import type { Activation, Step } from './evaluate/frame.js';
import { Planner } from './evaluate/plan.js';
import type { Expr } from './syntax/expr.js';
import type { Issue } from './syntax/issues.js';
import { formatIssues } from './syntax/issues.js';
import { parse } from './syntax/parser.js';
import type { CelType } from './types/type.js';
import type { Value } from './values/value.js';
import { CostExceeded, EvaluationError } from './values/value.js';

/** Cost limits of Kubernetes (k8s apiserver pkg/apis/cel/config.go). */
export const LIMITS = {
  perCall: 1_000_000,
  perObject: 10_000_000,
  matchConditions: 2_500_000,
  messageBytes: 5 * 1024,
} as const;

/** What an evaluation came to, and what it cost. */
export interface Outcome {
  readonly value?: Value;
  /** Set instead of the value. */
  readonly error?: string;
  readonly cost: number;
  /** The limit of the call was reached. */
  readonly exceeded: boolean;
}

/** A checked expression that can be evaluated again and again. */
export class Program {
  readonly type: CelType;
  private readonly step: Step;

  constructor(
    private readonly expr: Expr,
    private readonly checker: Checker,
    private readonly env: Environment,
  ) {
    this.type = checker.types.get(expr.id) ?? { kind: 'error' };
    this.step = new Planner(checker).plan(expr);
  }

  /** True when the expression names the variable. */
  uses(variable: string): boolean {
    for (const reference of this.checker.references.values())
      if (reference.kind === 'variable' && reference.name === variable) return true;
    return false;
  }

  /** The least and the most that an evaluation can cost, by the sizes that types tell. */
  estimateCost(): CostRange {
    return estimateCost(this.expr, this.checker, this.env.variables);
  }

  /** Never throws for what the expression does; other errors of the activation go through. */
  evaluate(activation: Activation, limit: number = LIMITS.perCall): Outcome {
    const frame = new Frame(activation, limit);
    try {
      return { value: this.step(frame), cost: frame.cost, exceeded: false };
    } catch (error) {
      if (error instanceof CostExceeded)
        return { error: error.message, cost: frame.cost, exceeded: true };
      if (error instanceof EvaluationError)
        return { error: error.message, cost: frame.cost, exceeded: false };
      if (error instanceof RangeError)
        return { error: 'expression is nested too deeply', cost: frame.cost, exceeded: false };
      throw error;
    }
  }
}

export type Compiled =
  | { readonly program: Program; readonly problem?: undefined }
  /** What is wrong, in the form in which cel-go prints it. */
  | { readonly program?: undefined; readonly problem: string };

/** Parses and checks an expression. */
export function compile(source: string, env: Environment): Compiled {
  const parsed = parse(source, env.bindings);
  if (parsed.issues) return { problem: formatIssues(source, parsed.issues) };
  const checker = new Checker(env);
  checker.run(parsed.expr);
  const issues: Issue[] = checker.issues;
  if (issues.length === 0) issues.push(...validateLiterals(parsed.expr));
  if (issues.length > 0) return { problem: formatIssues(source, issues) };
  return { program: new Program(parsed.expr, checker, env) };
}
