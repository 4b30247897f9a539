import type { CallExpr, ComprehensionExpr, Expr } from '../syntax/expr.js';
import { EntriesMap } from '../values/map-value.js';
import type { Value } from '../values/value.js';
import { EvaluationError, ListValue, MapValue, ObjectValue } from '../values/value.js';
import { COST } from './call-cost.js';
import type { Frame, Step } from './frame.js';
import type { Planner, Scope } from './plan.js';

type Visit = (first: Value, second: Value) => boolean;

/** Calls `visit` for each entry until it answers false; the first value is what one variable stands for. */
function iterate(range: Value, two: boolean, visit: Visit): void {
  if (range instanceof ListValue) {
    for (let i = 0; i < range.size; i++) {
      const item = range.at(i);
      if (!visit(two ? BigInt(i) : item, item)) return;
    }
    return;
  }
  if (range instanceof MapValue) {
    for (const key of range.keys()) if (!visit(key, range.get(key) ?? null)) return;
    return;
  }
  if (!(range instanceof ObjectValue)) throw new EvaluationError('no such overload');
  for (const name of range.names()) if (!visit(name, range.field(name) ?? null)) return;
}

const isAccumulator = (expr: Expr | undefined, name: string): boolean =>
  expr?.kind === 'ident' && expr.name === name;

/**
 * Steps that grow the accumulator do so in place: it is a fresh list or map that nothing else can see yet.
 * They are charged what the expression they stand for would be.
 */
function growth(
  planner: Planner,
  expr: CallExpr,
  { scope, slot, accumulator }: { scope: Scope; slot: number; accumulator: string },
): Step | undefined {
  const [target, ...rest] = expr.args;
  if (!isAccumulator(target, accumulator)) return undefined;
  const [item] = rest;
  const grows = expr.name === '_+_' && item?.kind === 'list' && item.optional.size === 0;
  if (grows) {
    const steps = item.elements.map((one) => planner.plan(one, scope));
    return (frame) => {
      const list = frame.locals[slot] as ListValue;
      for (const step of steps) (list.items as Value[]).push(step(frame));
      frame.charge(COST.select + COST.list + 1);
      return list;
    };
  }
  if (expr.name !== 'cel.@mapInsert') return undefined;
  const steps = rest.map((one) => planner.plan(one, scope));
  return (frame) => insert(frame, frame.locals[slot] as EntriesMap, steps);
}

function insert(frame: Frame, map: EntriesMap, steps: readonly Step[]): Value {
  const [first = null, second] = steps.map((step) => step(frame));
  frame.charge(COST.select + 1);
  if (second !== undefined) map.insert(first, second);
  else if (first instanceof MapValue)
    for (const key of first.keys()) map.insert(key, first.get(key) ?? null);
  else throw new EvaluationError('no such overload');
  return map;
}

function planStep(
  planner: Planner,
  expr: Expr,
  place: { scope: Scope; slot: number; accumulator: string },
): Step {
  if (expr.kind !== 'call') return planner.plan(expr, place.scope);
  const [test, yes, no] = expr.args;
  if (
    expr.name === '_?_:_' &&
    test &&
    yes?.kind === 'call' &&
    isAccumulator(no, place.accumulator)
  ) {
    const grown = growth(planner, yes, place);
    const condition = planner.plan(test, place.scope);
    if (grown) {
      return (frame) => {
        const holds = condition(frame);
        if (typeof holds !== 'boolean') throw new EvaluationError('no such overload');
        if (holds) return grown(frame);
        frame.charge(COST.select);
        return frame.locals[place.slot] as Value;
      };
    }
  }
  return growth(planner, expr, place) ?? planner.plan(expr, place.scope);
}

/** A fold: binds the accumulator, then visits the range while the condition holds. */
export function planComprehension(planner: Planner, expr: ComprehensionExpr, scope: Scope): Step {
  const { accumulator, variable, variable2 } = expr;
  const slot = scope.depth;
  const outer = scope.with(accumulator);
  const inner = outer.with(variable, ...(variable2 === undefined ? [] : [variable2]));
  const range = planner.plan(expr.range, scope);
  const init = planner.plan(expr.init, scope);
  const condition = planner.plan(expr.condition, inner);
  const step = planStep(planner, expr.step, { scope: inner, slot, accumulator });
  const result = planner.plan(expr.result, outer);
  return (frame) => {
    const over = range(frame);
    frame.locals[slot] = init(frame);
    // `&&` and `||` may leave an error in the accumulator, which a later element may still overrule.
    let failure: EvaluationError | undefined;
    iterate(over, variable2 !== undefined, (first, second) => {
      frame.locals[slot + 1] = first;
      if (variable2 !== undefined) frame.locals[slot + 2] = second;
      if (failure === undefined && condition(frame) === false) return false;
      try {
        frame.locals[slot] = step(frame);
        if (frame.locals[slot] === deciding(expr.init)) failure = undefined;
      } catch (error) {
        if (!(error instanceof EvaluationError)) throw error;
        if (deciding(expr.init) === undefined) throw error;
        failure ??= error;
      }
      return true;
    });
    if (failure) throw failure;
    return result(frame);
  };
}

/** The value that ends all() and exists() whatever else failed; undefined for other folds. */
const deciding = (init: Expr): boolean | undefined =>
  init.kind === 'literal' && typeof init.value === 'boolean' ? !init.value : undefined;
