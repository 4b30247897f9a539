import type { CelType } from '../types/type.js';
import { parseSignature } from '../types/signature.js';
import type { Value } from '../values/value.js';
import { EvaluationError } from '../values/value.js';

/** Called with arguments that fit the overload's signature. */
export type Implementation = (...args: never[]) => Value;

export interface Overload {
  readonly id: string;
  readonly name: string;
  readonly member: boolean;
  readonly args: readonly CelType[];
  readonly result: CelType;
  readonly call: (...args: readonly Value[]) => Value;
}

/** Declares one overload: `fn('string.contains(string): bool', 'contains_string', (s, t) => …)`. */
export function fn(signature: string, id: string, call: Implementation): Overload {
  return { ...parseSignature(signature), id, call: call as Overload['call'] };
}

/** Overloads by function name. */
export class FunctionRegistry {
  private readonly byName = new Map<string, Overload[]>();

  constructor(overloads: Iterable<Overload>) {
    for (const overload of overloads) {
      const known = this.byName.get(overload.name);
      if (known) known.push(overload);
      else this.byName.set(overload.name, [overload]);
    }
  }

  find(name: string): readonly Overload[] | undefined {
    return this.byName.get(name);
  }
}

export const fail = (message: string): never => {
  throw new EvaluationError(message);
};
