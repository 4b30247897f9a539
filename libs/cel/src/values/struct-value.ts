import type { Value } from './value.js';
import { ObjectValue } from './value.js';

/** An object that an expression has made: `Object.spec{replicas: 3}`. */
export class StructValue extends ObjectValue {
  constructor(
    readonly typeName: string,
    private readonly fields: ReadonlyMap<string, Value>,
  ) {
    super();
  }

  field(name: string): Value | undefined {
    return this.fields.get(name);
  }

  names(): Iterable<string> {
    return this.fields.keys();
  }
}
