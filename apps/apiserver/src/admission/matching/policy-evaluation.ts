import type { Activation, Outcome, PolicyProgram, Program, Value } from '@orrery/cel';
import { EvaluationError, LIMITS, ObjectValue } from '@orrery/cel';
import { AnswerNeeded } from './policy-variables.js';

/** Evaluates within a budget that the expressions of one policy share. */
export class PolicyEvaluation {
  constructor(
    private readonly activation: Activation,
    private budget: number,
    private readonly variables: ReadonlyMap<string, Program> = new Map(),
  ) {}

  /** The value, or what went wrong, in upstream's words. */
  async evaluate(
    compiled: PolicyProgram,
    expression: string,
  ): Promise<{ readonly value: Value; readonly error?: undefined } | { readonly error: string }> {
    if (!compiled.program) return { error: compiled.problem };
    const { value, error, cost, exceeded } = await this.run(compiled.program);
    this.budget -= cost;
    if (this.budget < 0) {
      return {
        error:
          'validation failed due to running out of cost budget, no further validation rules will be run',
      };
    }
    if (exceeded) {
      return {
        error: `expression '${expression}' resulted in error: operation cancelled: actual cost limit exceeded`,
      };
    }
    if (value === undefined)
      return { error: `expression '${expression}' resulted in error: ${error ?? ''}` };
    return { value };
  }

  /** Again and again, until no answer of the authorizer is missing. */
  private async run(program: Program): Promise<Outcome> {
    const limit = Math.min(LIMITS.perCall, Math.max(this.budget, 0));
    for (;;) {
      const scope = new Scope(this.activation, this.variables, limit);
      try {
        const outcome = program.evaluate(scope, limit);
        return { ...outcome, cost: outcome.cost + scope.cost };
      } catch (error) {
        if (!(error instanceof AnswerNeeded)) throw error;
        await error.answer;
      }
    }
  }
}

/** The request's variables and the policy's own, each of which is evaluated once. */
class Scope implements Activation {
  cost = 0;
  private readonly own: PolicyVariables;

  constructor(
    private readonly outer: Activation,
    variables: ReadonlyMap<string, Program>,
    limit: number,
  ) {
    this.own = new PolicyVariables(variables, this, limit);
  }

  get(name: string): Value | undefined {
    return name === 'variables' ? this.own : this.outer.get(name);
  }
}

class PolicyVariables extends ObjectValue {
  readonly typeName = 'kubernetes.variables';
  private readonly known = new Map<string, Value>();

  constructor(
    private readonly programs: ReadonlyMap<string, Program>,
    private readonly scope: Scope,
    private readonly limit: number,
  ) {
    super();
  }

  field(name: string): Value | undefined {
    const known = this.known.get(name);
    if (known !== undefined) return known;
    const program = this.programs.get(name);
    if (!program) return undefined;
    const { value, error, cost } = program.evaluate(this.scope, this.limit);
    this.scope.cost += cost;
    if (value === undefined)
      throw new EvaluationError(`composited variable "${name}" fails to evaluate: ${error ?? ''}`);
    this.known.set(name, value);
    return value;
  }

  names(): Iterable<string> {
    return this.programs.keys();
  }
}
