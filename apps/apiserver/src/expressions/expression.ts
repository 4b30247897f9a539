import type { CelType, Environment, Program } from '@orrery/cel';
import { LIMITS, compile, converterFor, formatType, standardFunctions, toJson } from '@orrery/cel';

/** An expression that makes no sense; the message is for whoever wrote it. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
}

/** An expression of a configuration file over JSON documents, compiled and checked once. */
export class Expression {
  private constructor(
    readonly source: string,
    private readonly program: Program,
    private readonly variables: ReadonlyMap<string, CelType>,
  ) {}

  /** `wanted`: the types that it may come to, beside dyn, as cel-go writes them. Throws ExpressionError. */
  static compile(
    source: string,
    variables: ReadonlyMap<string, CelType>,
    wanted: readonly string[],
  ): Expression {
    const environment: Environment = { variables, functions: standardFunctions };
    const { program, problem } = compile(source, environment);
    if (!program) throw new ExpressionError(`compilation failed: ${problem}`);
    const type = formatType(program.type);
    // A list or map of dyn is told by its elements, when there are some.
    if (type !== 'dyn' && !wanted.includes(type) && !type.startsWith('list(dyn)')) {
      const types = wanted.length === 1 ? wanted.join() : `one of: [${wanted.join(' ')}]`;
      throw new ExpressionError(`must evaluate to ${types}`);
    }
    return new Expression(source, program, variables);
  }

  /** What it comes to, as JSON. Throws ExpressionError. */
  evaluate(documents: Readonly<Record<string, unknown>>): unknown {
    const { value, error } = this.program.evaluate(
      {
        get: (name) => {
          const type = this.variables.get(name);
          return type && converterFor(type)(documents[name]);
        },
      },
      LIMITS.perCall,
    );
    if (value === undefined)
      throw new ExpressionError(`expression '${this.source}' resulted in error: ${error ?? ''}`);
    return toJson(value);
  }
}
