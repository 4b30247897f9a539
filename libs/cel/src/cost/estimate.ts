import type { Checked } from '../check/environment.js';
import type { CallExpr, ComprehensionExpr, Expr, ListExpr, MapExpr } from '../syntax/expr.js';
import { ACCUMULATOR } from '../syntax/expr.js';
import type { CelType } from '../types/type.js';
import { OPTIONAL, celTypes } from '../types/type.js';
import { sizeOf } from '../values/value.js';
import type { Operand } from './call-estimate.js';
import { estimateCall } from './call-estimate.js';
import type { Range } from './range.js';
import { NOTHING, UNKNOWN, add, exactly, multiply, union } from './range.js';

export type CostRange = Range;

const SCALARS = new Set(['bool', 'double', 'duration', 'int', 'timestamp', 'uint']);

const isScalar = (type: CelType): boolean =>
  SCALARS.has(type.kind) ||
  (type.kind === 'opaque' && type.name === OPTIONAL && isScalar(type.params[0] ?? celTypes.dyn));

/** What is known of the size of a node, and of what it holds. */
interface Size {
  readonly size?: Range | undefined;
  /** The declared type with its bounds, for what variables lead to. */
  readonly declared?: CelType | undefined;
  /** Sizes of the keys and values of a list or map that the expression makes. */
  readonly entries?: { readonly key: Range; readonly value: Range } | undefined;
}

/** What upstream knows of declared values: those without a bound of their own count as nothing. */
const declaredSize = (type: CelType | undefined): Range | undefined =>
  type && { min: 0, max: 'maxSize' in type ? (type.maxSize ?? 0) : 0 };

const elementOf = (type: CelType | undefined): CelType | undefined =>
  type?.kind === 'list' ? type.element : type?.kind === 'map' ? type.value : undefined;

/** The right side may not be needed. */
const shortCircuit = ([left = NOTHING, right = NOTHING]: readonly Range[]): Range => ({
  min: left.min,
  max: left.max + right.max,
});

class Estimator {
  private readonly sizes = new Map<number, Size>();
  private readonly locals = new Map<string, Size[]>();

  constructor(
    private readonly checked: Checked,
    private readonly variables: ReadonlyMap<string, CelType>,
  ) {}

  cost(expr: Expr): Range {
    switch (expr.kind) {
      case 'literal':
        this.sizes.set(expr.id, { size: exactly(sizeOf(expr.value) ?? 1) });
        return NOTHING;
      case 'ident':
        return this.ident(expr.id, expr.name);
      case 'select':
        return this.select(expr);
      case 'call':
        return this.call(expr);
      case 'list':
        return this.list(expr);
      case 'map':
        return this.map(expr);
      case 'struct':
        return add(exactly(40), ...expr.fields.map(({ value }) => this.cost(value)));
      case 'comprehension':
        return this.comprehension(expr);
    }
  }

  private typeOf(expr: Expr): CelType {
    return this.checked.types.get(expr.id) ?? celTypes.dyn;
  }

  private sizeOrUnknown(expr: Expr): Range {
    const known = this.sizes.get(expr.id);
    return (
      known?.size ??
      declaredSize(known?.declared) ??
      (isScalar(this.typeOf(expr)) ? exactly(1) : UNKNOWN)
    );
  }

  private ident(id: number, name: string): Range {
    const local = this.locals.get(name)?.at(-1);
    // Upstream's estimator goes from the root whatever the name is: the name of a type is as large as `self`
    // (k8s apiextensions-apiserver pkg/apiserver/schema/cel/compilation.go:EstimateSize).
    const declared = this.variables.get(name) ?? this.variables.get('self');
    this.sizes.set(id, local ?? { declared });
    return exactly(1);
  }

  private select(expr: Extract<Expr, { kind: 'select' }>): Range {
    const reference = this.checked.references.get(expr.id);
    if (reference) return this.ident(expr.id, reference.name);
    const inner = this.cost(expr.operand);
    if (expr.testOnly) return inner;
    const owner = this.sizes.get(expr.operand.id)?.declared;
    const field = owner?.kind === 'object' ? owner.fields.get(expr.field)?.type : elementOf(owner);
    this.sizes.set(expr.id, { declared: field });
    const { kind } = this.typeOf(expr.operand);
    const isCharged = kind === 'map' || kind === 'object' || kind === 'param';
    return isCharged ? add(inner, exactly(1)) : inner;
  }

  private operand(expr: Expr): Operand {
    const known = this.sizes.get(expr.id);
    const size = this.sizeOrUnknown(expr);
    const element = elementOf(known?.declared);
    const elementSize = known?.entries?.value ?? declaredSize(element);
    const type = this.typeOf(expr);
    const scalar = type.kind === 'list' && isScalar(type.element) ? exactly(1) : UNKNOWN;
    return {
      size,
      type,
      elementSize: elementSize ?? scalar,
      ...(expr.kind === 'literal' ? { literal: expr.value } : {}),
    };
  }

  private call(expr: CallExpr): Range {
    const qualified = this.checked.qualified.get(expr.id);
    const receiver = qualified === undefined ? expr.target : undefined;
    const operands = receiver ? [receiver, ...expr.args] : expr.args;
    const costs = operands.map((one) => this.cost(one));
    const sum = add(...costs);
    const [first, second] = operands;
    const name = qualified ?? expr.name.replace(/^\./, '');
    if (name === '_&&_' || name === '_||_') return shortCircuit(costs);
    if (name === '_?_:_') return this.conditional(expr, operands, costs);
    if (name === 'dyn' && first) {
      this.sizes.set(expr.id, this.sizes.get(first.id) ?? {});
      return add(exactly(1), sum);
    }
    this.noteAccess(expr, name, operands);
    const ids = (this.checked.overloads.get(expr.id) ?? []).map(({ id }) => id);
    const known = operands.map((one) => this.operand(one));
    const estimate = estimateCall(name, ids, known);
    if (estimate.size) {
      const entries = name === '_+_' ? this.joinedEntries(first, second) : undefined;
      this.sizes.set(expr.id, { size: estimate.size, entries });
    }
    return add(sum, estimate.cost);
  }

  /** What an index or an optional field leads to. */
  private noteAccess(expr: Expr, name: string, [owner, key]: readonly Expr[]): void {
    if (!owner || !key) return;
    const of = this.sizes.get(owner.id);
    if (name === '_[_]' || name === '_[?_]')
      this.sizes.set(expr.id, { size: of?.entries?.value, declared: elementOf(of?.declared) });
    if (name !== '_?._' || key.kind !== 'literal' || typeof key.value !== 'string') return;
    const type = of?.declared;
    const field = type?.kind === 'object' ? type.fields.get(key.value)?.type : elementOf(type);
    this.sizes.set(expr.id, { declared: field });
  }

  private joinedEntries(a: Expr | undefined, b: Expr | undefined): Size['entries'] {
    const left = a && this.sizes.get(a.id)?.entries;
    const right = b && this.sizes.get(b.id)?.entries;
    if (!left || !right) return undefined;
    return { key: union(left.key, right.key), value: union(left.value, right.value) };
  }

  private conditional(
    expr: Expr,
    [, yes, no]: readonly Expr[],
    [test = NOTHING, first = NOTHING, second = NOTHING]: readonly Range[],
  ): Range {
    if (!yes || !no) return test;
    const size = union(this.sizeOrUnknown(yes), this.sizeOrUnknown(no));
    this.sizes.set(expr.id, { size, entries: this.joinedEntries(yes, no) });
    return add(test, union(first, second));
  }

  private list({ id, elements }: ListExpr): Range {
    const cost = add(exactly(10), ...elements.map((one) => this.cost(one)));
    const sizes = elements.map((one) => this.sizeOrUnknown(one));
    const value = sizes.length === 0 ? NOTHING : sizes.reduce(union);
    this.sizes.set(id, {
      size: exactly(elements.length),
      entries: { key: exactly(1), value },
    });
    return cost;
  }

  private map({ id, entries }: MapExpr): Range {
    const cost = add(
      exactly(30),
      ...entries.flatMap(({ key, value }) => [this.cost(key), this.cost(value)]),
    );
    const all = (exprs: readonly Expr[]): Range =>
      exprs.length === 0 ? NOTHING : exprs.map((one) => this.sizeOrUnknown(one)).reduce(union);
    this.sizes.set(id, {
      size: exactly(entries.length),
      entries: {
        key: all(entries.map(({ key }) => key)),
        value: all(entries.map(({ value }) => value)),
      },
    });
    return cost;
  }

  private bind<T>(bindings: readonly (readonly [string, Size])[], work: () => T): T {
    for (const [name, size] of bindings)
      this.locals.set(name, [...(this.locals.get(name) ?? []), size]);
    const done = work();
    for (const [name] of bindings) this.locals.get(name)?.pop();
    return done;
  }

  /** What the iteration variables range over. */
  private iterated({ range, variable, variable2 }: ComprehensionExpr): [string, Size][] {
    const known = this.sizes.get(range.id);
    const isMap = this.typeOf(range).kind === 'map';
    const declared = known?.declared;
    const key: Size = {
      size: known?.entries?.key,
      declared: declared?.kind === 'map' ? declared.key : undefined,
    };
    const value: Size = { size: known?.entries?.value, declared: elementOf(declared) };
    if (variable2 !== undefined)
      return [
        [variable, isMap ? key : {}],
        [variable2, value],
      ];
    return [[variable, isMap ? key : value]];
  }

  private comprehension(expr: ComprehensionExpr): Range {
    const { range, init, accumulator } = expr;
    const before = add(this.cost(range), this.cost(init));
    const held = this.sizes.get(init.id) ?? {};
    if (accumulator !== ACCUMULATOR) {
      const result = this.bind([[accumulator, held]], () => this.cost(expr.result));
      this.sizes.set(expr.id, this.sizes.get(expr.result.id) ?? {});
      return add(before, result);
    }
    return this.bind([[accumulator, held]], () => {
      const each = this.bind(this.iterated(expr), () =>
        add(this.cost(expr.condition), this.cost(expr.step)),
      );
      const result = this.cost(expr.result);
      const count = this.sizeOrUnknown(range);
      const made = init.kind === 'list' || init.kind === 'map';
      const entries = this.sizes.get(expr.step.id)?.entries;
      this.sizes.set(expr.id, made ? { size: count, entries } : { size: exactly(1) });
      return add(before, multiply(count, each), result);
    });
  }
}

/** The least and the most that evaluating the expression can cost (cel-go checker/cost.go). */
export function estimateCost(
  expr: Expr,
  checked: Checked,
  variables: ReadonlyMap<string, CelType>,
): CostRange {
  return new Estimator(checked, variables).cost(expr);
}
