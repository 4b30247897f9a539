import type { Checked } from '../check/environment.js';
import type { Overload } from '../functions/overload.js';
import type { CallExpr, Expr, ListExpr, MapExpr, SelectExpr, StructExpr } from '../syntax/expr.js';
import type { CelType } from '../types/type.js';
import { isDyn } from '../types/type.js';
import { EntriesMap } from '../values/map-value.js';
import { StructValue } from '../values/struct-value.js';
import { hasType } from '../values/type-of.js';
import type { Value } from '../values/value.js';
import { EvaluationError, ListValue, OptionalValue, TypeValue } from '../values/value.js';
import * as access from './access.js';
import { COST, costOfCall, costOfResult } from './call-cost.js';
import { planComprehension } from './comprehension.js';
import type { Frame, Step } from './frame.js';
import { specialForms } from './special-forms.js';

const noSuchOverload = (): never => {
  throw new EvaluationError('no such overload');
};

/** Where iteration variables and accumulators live. */
export class Scope {
  private constructor(
    private readonly slots: ReadonlyMap<string, number>,
    readonly depth: number,
  ) {}

  static readonly empty = new Scope(new Map(), 0);

  with(...names: readonly string[]): Scope {
    const slots = new Map(this.slots);
    names.forEach((name, i) => slots.set(name, this.depth + i));
    return new Scope(slots, this.depth + names.length);
  }

  find(name: string): number | undefined {
    return this.slots.get(name);
  }
}

/** Turns checked expressions into closures. */
export class Planner {
  constructor(private readonly checked: Checked) {}

  plan(expr: Expr, scope: Scope = Scope.empty): Step {
    switch (expr.kind) {
      case 'literal': {
        const { value } = expr;
        return () => value;
      }
      case 'ident':
        return this.name(expr, expr.name, scope);
      case 'select':
        return this.select(expr, scope);
      case 'call':
        return this.call(expr, scope);
      case 'list':
        return this.list(expr, scope);
      case 'map':
        return this.map(expr, scope);
      case 'struct':
        return this.struct(expr, scope);
      case 'comprehension':
        return planComprehension(this, expr, scope);
    }
  }

  private name(expr: Expr, name: string, scope: Scope): Step {
    const slot = scope.find(name);
    if (slot !== undefined) {
      return (frame) => {
        frame.charge(COST.select);
        return frame.locals[slot] as Value;
      };
    }
    const reference = this.checked.references.get(expr.id);
    if (reference?.kind === 'type') {
      const type = new TypeValue(reference.name);
      return () => type;
    }
    const variable = reference?.name ?? name;
    return (frame) => {
      frame.charge(COST.select);
      const value = frame.activation.get(variable);
      if (value === undefined) throw new EvaluationError(`no such attribute(s): ${variable}`);
      return value;
    };
  }

  private select(expr: SelectExpr, scope: Scope): Step {
    if (this.checked.references.has(expr.id)) return this.name(expr, '', scope);
    const operand = this.plan(expr.operand, scope);
    const { field } = expr;
    if (expr.testOnly) return (frame) => access.has(operand(frame), field);
    return (frame) => {
      const value = operand(frame);
      frame.charge(COST.select);
      return access.select(value, field);
    };
  }

  private call(expr: CallExpr, scope: Scope): Step {
    const special = specialForms[expr.name];
    const qualified = this.checked.qualified.get(expr.id);
    const isMember = expr.target !== undefined && qualified === undefined;
    const operands = isMember && expr.target ? [expr.target, ...expr.args] : expr.args;
    if (special && qualified === undefined)
      return special(
        operands.map((one) => this.plan(one, scope)),
        operands,
      );
    const overloads = this.checked.overloads.get(expr.id) ?? [];
    const steps = operands.map((one) => this.plan(one, scope));
    const known = operands.map((one) => this.checked.types.get(one.id));
    return callStep(qualified ?? expr.name.replace(/^\./, ''), overloads, { steps, known });
  }

  private list({ elements, optional }: ListExpr, scope: Scope): Step {
    const steps = elements.map((one) => this.plan(one, scope));
    return (frame) => {
      const items: Value[] = [];
      steps.forEach((step, i) => {
        const value = step(frame);
        if (!optional.has(i)) items.push(value);
        else if (!(value instanceof OptionalValue)) noSuchOverload();
        else if (value.value !== undefined) items.push(value.value);
      });
      frame.charge(COST.list);
      return new ListValue(items);
    };
  }

  private map({ entries }: MapExpr, scope: Scope): Step {
    const steps = entries.map(({ key, value, optional }) => ({
      key: this.plan(key, scope),
      value: this.plan(value, scope),
      optional,
    }));
    return (frame) => {
      const map = new EntriesMap();
      for (const { key, value, optional } of steps) {
        const name = key(frame);
        const found = unwrap(value(frame), optional);
        if (found !== undefined) map.insert(name, found);
      }
      frame.charge(COST.map);
      return map;
    };
  }

  private struct({ type, fields }: StructExpr, scope: Scope): Step {
    const steps = fields.map(({ field, value, optional }) => ({
      field,
      value: this.plan(value, scope),
      optional,
    }));
    return (frame) => {
      const made = new Map<string, Value>();
      for (const { field, value, optional } of steps) {
        const found = unwrap(value(frame), optional);
        if (found !== undefined) made.set(field, found);
      }
      frame.charge(COST.struct);
      return new StructValue(type, made);
    };
  }
}

function unwrap(value: Value, optional: boolean): Value | undefined {
  if (!optional) return value;
  return value instanceof OptionalValue ? value.value : noSuchOverload();
}

type Test = (args: readonly Value[]) => boolean;

/** Whether arguments fit an overload; only those are looked at whose type the checker could not know. */
function testOf(overload: Overload, known: readonly (CelType | undefined)[]): Test {
  const open = overload.args.flatMap((type, i) => {
    const found = known[i];
    return found && !isDyn(found) && found.kind === type.kind ? [] : [{ type, i }];
  });
  if (open.length === 0) return () => true;
  return (args) => {
    for (const { type, i } of open) if (!hasType(args[i] ?? null, type)) return false;
    return true;
  };
}

/** Evaluates the arguments, finds the overload for their types, charges for the call and makes it. */
function callStep(
  name: string,
  overloads: readonly Overload[],
  { steps, known }: { steps: readonly Step[]; known: readonly (CelType | undefined)[] },
): Step {
  const candidates = overloads.map((overload) => ({
    test: testOf(overload, known),
    cost: costOfCall(name, overload.id),
    call: overload.call,
  }));
  const extra = costOfResult(name);
  const apply = (frame: Frame, args: readonly Value[]): Value => {
    for (const { test, cost, call } of candidates) {
      if (!test(args)) continue;
      frame.charge(cost === undefined ? 1 : cost(args));
      const result = call(...args);
      if (extra) frame.charge(extra([result]));
      return result;
    }
    return noSuchOverload();
  };
  const [first, second] = steps;
  if (first && steps.length === 1) return (frame) => apply(frame, [first(frame)]);
  if (first && second && steps.length === 2)
    return (frame) => apply(frame, [first(frame), second(frame)]);
  return (frame) =>
    apply(
      frame,
      steps.map((step) => step(frame)),
    );
}
