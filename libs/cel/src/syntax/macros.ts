import type { Expr } from './expr.js';
import { ACCUMULATOR } from './expr.js';
import type { ExprFactory } from './factory.js';
import { SyntaxIssue } from './issues.js';

/** A call as it was written, before it is known to be a macro. */
export interface MacroCall {
  readonly factory: ExprFactory;
  readonly offset: number;
  readonly name: string;
  readonly args: readonly Expr[];
  readonly target: Expr | undefined;
  /** Whether `cel.bind` is a macro here. */
  readonly bindings: boolean;
}

type Expander = (call: MacroCall, target: Expr, args: readonly Expr[]) => Expr;

const arg = (args: readonly Expr[], index: number): Expr => {
  const found = args[index];
  if (!found) throw new SyntaxIssue(0, 'missing argument');
  return found;
};

function variableOf(expr: Expr): string {
  if (expr.kind !== 'ident' || expr.name.startsWith('.'))
    throw new SyntaxIssue(expr.offset, 'argument must be a simple name');
  return expr.name;
}

interface Fold {
  readonly variables: readonly Expr[];
  readonly init: Expr;
  readonly condition?: Expr;
  readonly step: Expr;
  readonly result?: Expr;
}

function fold({ factory, offset }: MacroCall, range: Expr, parts: Fold): Expr {
  const [first, second] = parts.variables.map(variableOf);
  if (first === second)
    throw new SyntaxIssue(arg(parts.variables, 1).offset, 'duplicate variable name');
  return factory.comprehension(offset, {
    range,
    variable: first ?? '',
    ...(second === undefined ? {} : { variable2: second }),
    accumulator: ACCUMULATOR,
    init: parts.init,
    condition: parts.condition ?? factory.literal(offset, true),
    step: parts.step,
    result: parts.result ?? factory.ident(offset, ACCUMULATOR),
  });
}

const accumulator = ({ factory, offset }: MacroCall): Expr => factory.ident(offset, ACCUMULATOR);

/** `count` iteration variables, then the predicate. */
const all =
  (count: number): Expander =>
  (call, target, args) => {
    const { factory, offset } = call;
    return fold(call, target, {
      variables: args.slice(0, count),
      init: factory.literal(offset, true),
      condition: factory.call(offset, '@not_strictly_false', [accumulator(call)]),
      step: factory.call(offset, '_&&_', [accumulator(call), arg(args, count)]),
    });
  };

const exists =
  (count: number): Expander =>
  (call, target, args) => {
    const { factory, offset } = call;
    const open = factory.call(offset, '!_', [accumulator(call)]);
    return fold(call, target, {
      variables: args.slice(0, count),
      init: factory.literal(offset, false),
      condition: factory.call(offset, '@not_strictly_false', [open]),
      step: factory.call(offset, '_||_', [accumulator(call), arg(args, count)]),
    });
  };

const existsOne =
  (count: number): Expander =>
  (call, target, args) => {
    const { factory, offset } = call;
    const one = factory.literal(offset, 1n);
    const more = factory.call(offset, '_+_', [accumulator(call), one]);
    return fold(call, target, {
      variables: args.slice(0, count),
      init: factory.literal(offset, 0n),
      step: factory.call(offset, '_?_:_', [arg(args, count), more, accumulator(call)]),
      result: factory.call(offset, '_==_', [accumulator(call), factory.literal(offset, 1n)]),
    });
  };

/** Adds to the accumulator; with a filter only where it holds. */
function growing(
  call: MacroCall,
  target: Expr,
  parts: { variables: readonly Expr[]; filter?: Expr | undefined; init: Expr; grown: Expr },
): Expr {
  const { factory, offset } = call;
  const { filter, grown } = parts;
  const step = filter ? factory.call(offset, '_?_:_', [filter, grown, accumulator(call)]) : grown;
  return fold(call, target, { variables: parts.variables, init: parts.init, step });
}

/** map(x, t), map(x, filter, t), transformList(i, x, t), transformList(i, x, filter, t). */
const mapping =
  (count: number): Expander =>
  (call, target, args) => {
    const { factory, offset } = call;
    const item = factory.list(offset, [arg(args, args.length - 1)]);
    return growing(call, target, {
      variables: args.slice(0, count),
      filter: args.length > count + 1 ? arg(args, count) : undefined,
      init: factory.list(offset, []),
      grown: factory.call(offset, '_+_', [accumulator(call), item]),
    });
  };

const filter: Expander = (call, target, args) => {
  const { factory, offset } = call;
  const item = factory.list(offset, [factory.ident(offset, variableOf(arg(args, 0)))]);
  return growing(call, target, {
    variables: args.slice(0, 1),
    filter: arg(args, 1),
    init: factory.list(offset, []),
    grown: factory.call(offset, '_+_', [accumulator(call), item]),
  });
};

/** transformMap(k, v, [filter,] t) keeps the key; transformMapEntry(k, v, [filter,] {key: value}) does not. */
const mapTransform =
  (withKey: boolean): Expander =>
  (call, target, args) => {
    const { factory, offset } = call;
    const made = arg(args, args.length - 1);
    const key = factory.ident(offset, variableOf(arg(args, 0)));
    const parts = withKey ? [accumulator(call), key, made] : [accumulator(call), made];
    return growing(call, target, {
      variables: args.slice(0, 2),
      filter: args.length > 3 ? arg(args, 2) : undefined,
      init: factory.map(offset, []),
      grown: factory.call(offset, 'cel.@mapInsert', parts),
    });
  };

/** A fold over nothing whose accumulator is a name for `value` in `result`. */
function bind(call: MacroCall, name: string, value: Expr, result: Expr): Expr {
  const { factory, offset } = call;
  return factory.comprehension(offset, {
    range: factory.list(offset, []),
    variable: '#unused',
    accumulator: name,
    init: value,
    condition: factory.literal(offset, false),
    step: factory.ident(offset, name),
    result,
  });
}

const optMap =
  (flat: boolean): Expander =>
  (call, target, args) => {
    const { factory, offset } = call;
    const name = variableOf(arg(args, 0));
    const value = factory.call(offset, 'value', [], target);
    const mapped = bind(call, name, value, arg(args, 1));
    return factory.call(offset, '_?_:_', [
      factory.call(offset, 'hasValue', [], target),
      flat ? mapped : factory.call(offset, 'optional.of', [mapped]),
      factory.call(offset, 'optional.none', []),
    ]);
  };

/** e.sortBy(x, key): the elements beside their keys, sorted by these (cel-go ext/lists.go:sortByMacro). */
const sortBy: Expander = (call, target, args) => {
  const { factory, offset } = call;
  const name = '@__sortBy_input__';
  const item = factory.list(offset, [arg(args, 1)]);
  const keys = fold(call, factory.ident(offset, name), {
    variables: args.slice(0, 1),
    init: factory.list(offset, []),
    step: factory.call(offset, '_+_', [accumulator(call), item]),
  });
  const sorted = factory.call(offset, '@sortByAssociatedKeys', [keys], factory.ident(offset, name));
  return bind(call, name, target, sorted);
};

const MACROS: Readonly<Record<string, Expander>> = {
  'all/2': all(1),
  'all/3': all(2),
  'exists/2': exists(1),
  'exists/3': exists(2),
  'exists_one/2': existsOne(1),
  'exists_one/3': existsOne(2),
  'existsOne/2': existsOne(1),
  'existsOne/3': existsOne(2),
  'map/2': mapping(1),
  'map/3': mapping(1),
  'filter/2': filter,
  'transformList/3': mapping(2),
  'transformList/4': mapping(2),
  'transformMap/3': mapTransform(true),
  'transformMap/4': mapTransform(true),
  'transformMapEntry/3': mapTransform(false),
  'transformMapEntry/4': mapTransform(false),
  'optMap/2': optMap(false),
  'optFlatMap/2': optMap(true),
  'sortBy/2': sortBy,
};

/** What a macro call stands for; undefined when the call is none. Throws SyntaxIssue. */
export function expandMacro(call: MacroCall): Expr | undefined {
  const { factory, offset, name, args, target } = call;
  if (target === undefined) {
    if (name !== 'has' || args.length !== 1) return undefined;
    const [operand] = args;
    if (operand?.kind !== 'select')
      throw new SyntaxIssue(operand?.offset ?? offset, 'invalid argument to has() macro');
    return factory.select(operand.offset, operand.operand, operand.field, true);
  }
  const id = `${name}/${args.length}`;
  if (call.bindings && id === 'bind/3' && target.kind === 'ident' && target.name === 'cel')
    return bind(call, variableOf(arg(args, 0)), arg(args, 1), arg(args, 2));
  const expander = Object.hasOwn(MACROS, id) ? MACROS[id] : undefined;
  return expander?.(call, target, args);
}
