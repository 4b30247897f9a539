import type { Expr } from '../syntax/expr.js';
import { equalValues } from '../values/equality.js';
import type { Value } from '../values/value.js';
import {
  CostExceeded,
  EvaluationError,
  ListValue,
  MapValue,
  ObjectValue,
  OptionalValue,
} from '../values/value.js';
import * as access from './access.js';
import { COST, costOfEquality } from './call-cost.js';
import type { Frame, Step } from './frame.js';

/** Makes the step of an operator that does not want all its operands, or whose cost depends on what it meets. */
type Form = (steps: readonly Step[], operands: readonly Expr[]) => Step;

const stepOf = (steps: readonly Step[], index: number): Step => {
  const step = steps[index];
  if (!step) throw new EvaluationError('no such overload');
  return step;
};

const noOverload = (): never => {
  throw new EvaluationError('no such overload');
};

/** The value of a side, or the error it came to; a budget that is used up is no such error. */
function attempt(step: Step, frame: Frame): Value | EvaluationError {
  try {
    return step(frame);
  } catch (error) {
    if (error instanceof EvaluationError && !(error instanceof CostExceeded)) return error;
    throw error;
  }
}

/** `&&` and `||`: an error on one side gives way to a deciding value on the other. */
const logical =
  (deciding: boolean): Form =>
  (steps) => {
    const [left, right] = [stepOf(steps, 0), stepOf(steps, 1)];
    return (frame) => {
      const first = attempt(left, frame);
      if (first === deciding) return deciding;
      const second = attempt(right, frame);
      if (second === deciding) return deciding;
      if (first instanceof EvaluationError) throw first;
      if (second instanceof EvaluationError) throw second;
      return typeof first === 'boolean' && typeof second === 'boolean' ? !deciding : noOverload();
    };
  };

const conditional: Form = (steps) => {
  const [test, yes, no] = [stepOf(steps, 0), stepOf(steps, 1), stepOf(steps, 2)];
  return (frame) => {
    const value = test(frame);
    if (typeof value !== 'boolean') return noOverload();
    return value ? yes(frame) : no(frame);
  };
};

const notStrictlyFalse: Form = (steps) => {
  const step = stepOf(steps, 0);
  return (frame) => {
    const value = attempt(step, frame);
    frame.charge(1);
    return value !== false;
  };
};

/** Comparisons that one unit of cost pays for. */
const PER_UNIT = 2;

/** Comparisons beyond those that upstream's estimate by size pays for are charged too. */
function metered(frame: Frame, paid: number): (count: number) => void {
  let seen = 0;
  return (count) => {
    seen += count;
    if (seen > paid * PER_UNIT && seen % PER_UNIT === 0) frame.charge(1);
  };
}

const equality =
  (wanted: boolean): Form =>
  (steps) => {
    const [left, right] = [stepOf(steps, 0), stepOf(steps, 1)];
    return (frame) => {
      const [a, b] = [left(frame), right(frame)];
      const cost = costOfEquality(a, b);
      frame.charge(cost);
      if (typeof a === 'string' || typeof a === 'bigint') return equalValues(a, b) === wanted;
      return equalValues(a, b, metered(frame, cost)) === wanted;
    };
  };

const contained: Form = (steps) => {
  const [item, range] = [stepOf(steps, 0), stepOf(steps, 1)];
  return (frame) => {
    const wanted = item(frame);
    const within = range(frame);
    if (within instanceof ListValue) {
      const cost = within.size;
      frame.charge(cost);
      const meter = metered(frame, cost);
      for (let i = 0; i < within.size; i++)
        if (equalValues(within.at(i), wanted, meter)) return true;
      return false;
    }
    frame.charge(1);
    if (within instanceof MapValue) return within.has(wanted);
    if (within instanceof ObjectValue && typeof wanted === 'string')
      return [...within.names()].includes(wanted);
    return noOverload();
  };
};

const indexing =
  (read: (value: Value, key: Value) => Value): Form =>
  (steps) => {
    const [operand, key] = [stepOf(steps, 0), stepOf(steps, 1)];
    return (frame) => {
      const value = operand(frame);
      const at = key(frame);
      frame.charge(COST.select);
      return read(value, at);
    };
  };

const optionalSelect: Form = (steps) => {
  const [operand, name] = [stepOf(steps, 0), stepOf(steps, 1)];
  return (frame) => {
    const value = operand(frame);
    frame.charge(COST.select);
    const field = name(frame);
    return access.selectOptional(value, typeof field === 'string' ? field : '');
  };
};

/** optional.or(other) and optional.orValue(value) */
const fallback =
  (unwrapped: boolean): Form =>
  (steps) => {
    const [operand, other] = [stepOf(steps, 0), stepOf(steps, 1)];
    return (frame) => {
      const value = operand(frame);
      if (!(value instanceof OptionalValue)) return noOverload();
      frame.charge(1);
      if (value.value === undefined) return other(frame);
      return unwrapped ? value.value : value;
    };
  };

export const specialForms: Readonly<Record<string, Form | undefined>> = Object.assign(
  Object.create(null) as Record<string, Form>,
  {
    '_&&_': logical(false),
    '_||_': logical(true),
    '_?_:_': conditional,
    '@not_strictly_false': notStrictlyFalse,
    '_==_': equality(true),
    '_!=_': equality(false),
    '@in': contained,
    '_[_]': indexing(access.index),
    '_[?_]': indexing(access.indexOptional),
    '_?._': optionalSelect,
    or: fallback(false),
    orValue: fallback(true),
  },
);
