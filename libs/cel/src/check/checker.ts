import type { Overload } from '../functions/overload.js';
import type {
  CallExpr,
  ComprehensionExpr,
  Expr,
  ListExpr,
  MapExpr,
  SelectExpr,
  StructExpr,
} from '../syntax/expr.js';
import type { Issue } from '../syntax/issues.js';
import { Substitution, mostGeneral } from '../types/substitution.js';
import type { CelType } from '../types/type.js';
import { OPTIONAL, celTypes, formatType, isDyn, listOf, mapOf, optionalOf } from '../types/type.js';
import { Uint } from '../values/scalars.js';
import type { Checked, Environment, Reference } from './environment.js';
import { typeNamed } from './environment.js';
import { resolveOverloads } from './resolve-overloads.js';

/** `a.b.c` of names only; undefined for anything else. */
function qualifiedName(expr: Expr): string | undefined {
  if (expr.kind === 'ident') return expr.name;
  if (expr.kind !== 'select' || expr.testOnly) return undefined;
  const head = qualifiedName(expr.operand);
  return head === undefined ? undefined : `${head}.${expr.field}`;
}

function literalType(value: unknown): CelType {
  if (value === null) return celTypes.null;
  if (typeof value === 'boolean') return celTypes.bool;
  if (typeof value === 'bigint') return celTypes.int;
  if (typeof value === 'number') return celTypes.double;
  if (typeof value === 'string') return celTypes.string;
  return value instanceof Uint ? celTypes.uint : celTypes.bytes;
}

/** Gives every node its type and every call its overloads (cel-go checker/checker.go). */
export class Checker implements Checked {
  readonly types = new Map<number, CelType>();
  readonly references = new Map<number, Reference>();
  readonly overloads = new Map<number, readonly Overload[]>();
  readonly qualified = new Map<number, string>();
  readonly issues: Issue[] = [];
  private subst = new Substitution();
  private readonly scopes: Map<string, CelType>[] = [];
  private fresh = 0;

  constructor(private readonly env: Environment) {}

  /** The type of the whole expression. */
  run(expr: Expr): CelType {
    this.check(expr);
    for (const [id, type] of this.types) this.types.set(id, this.subst.apply(type, true));
    return this.types.get(expr.id) ?? celTypes.error;
  }

  private report(expr: { readonly offset: number }, message: string): void {
    this.issues.push({ offset: expr.offset, message });
  }

  private undeclared(expr: Expr, name: string): CelType {
    this.report(expr, `undeclared reference to '${name}' (in container '')`);
    return celTypes.error;
  }

  private mismatch(expr: Expr, wanted: CelType, found: CelType): void {
    this.report(expr, `expected type '${this.format(wanted)}' but found '${this.format(found)}'`);
  }

  private format(type: CelType): string {
    return formatType(this.subst.apply(type, true));
  }

  private typeOf(expr: Expr): CelType {
    return this.types.get(expr.id) ?? celTypes.error;
  }

  private freshParam(): CelType {
    this.fresh += 1;
    return { kind: 'param', name: `_var${this.fresh}` };
  }

  private assign(to: CelType, from: CelType): boolean {
    const attempt = new Substitution(this.subst);
    if (!attempt.assign(to, from)) return false;
    this.subst = attempt;
    return true;
  }

  private check(expr: Expr): CelType {
    const type = this.typeFor(expr);
    this.types.set(expr.id, type);
    return type;
  }

  private typeFor(expr: Expr): CelType {
    switch (expr.kind) {
      case 'literal':
        return literalType(expr.value);
      case 'ident':
        return this.named(expr, expr.name) ?? this.undeclared(expr, expr.name);
      case 'select':
        return this.checkSelect(expr);
      case 'call':
        return this.checkCall(expr);
      case 'list':
        return this.checkList(expr);
      case 'map':
        return this.checkMap(expr);
      case 'struct':
        return this.checkStruct(expr);
      case 'comprehension':
        return this.checkComprehension(expr);
    }
  }

  /** The type of a variable or of a type's name. */
  private named(expr: Expr, name: string): CelType | undefined {
    const local = this.scopes.findLast((scope) => scope.has(name))?.get(name);
    const variable = local ?? this.env.variables.get(name.replace(/^\./, ''));
    if (variable) {
      this.references.set(expr.id, { kind: 'variable', name: name.replace(/^\./, '') });
      return variable;
    }
    const of = typeNamed(name) ?? this.env.structs?.get(name);
    if (!of) return undefined;
    this.references.set(expr.id, { kind: 'type', name: name.replace(/^\./, '') });
    return { kind: 'type', of };
  }

  private checkSelect(expr: SelectExpr): CelType {
    const name = qualifiedName(expr);
    const root = name?.split('.')[0] ?? '';
    const isLocal = this.scopes.some((scope) => scope.has(root));
    const qualified = name !== undefined && !isLocal ? this.named(expr, name) : undefined;
    if (qualified) return qualified;
    const type = this.selectField(expr, expr.operand, expr.field, false);
    return expr.testOnly ? celTypes.bool : this.subst.apply(type);
  }

  private selectField(expr: Expr, operand: Expr, field: string, optional: boolean): CelType {
    const outer = this.subst.apply(this.check(operand));
    const isOptional = outer.kind === 'opaque' && outer.name === OPTIONAL;
    const target = isOptional ? this.subst.resolve(outer.params[0] ?? celTypes.dyn) : outer;
    const type = this.fieldOf(expr, target, field);
    return isOptional || optional ? optionalOf(type) : type;
  }

  private fieldOf(expr: Expr, target: CelType, field: string): CelType {
    if (target.kind === 'map') return target.value;
    if (target.kind === 'object') {
      const found = target.fields.get(field);
      if (found) return found.type;
      this.report(expr, `undefined field '${field}'`);
      return celTypes.error;
    }
    if (target.kind === 'param') {
      this.assign(celTypes.dyn, target);
      return celTypes.dyn;
    }
    if (!isDyn(target))
      this.report(expr, `type '${formatType(target)}' does not support field selection`);
    return celTypes.dyn;
  }

  /** Lists and maps may hold values of several types: what is formatted (cel-go ext/formatting_v2.go:stringFormatValidatorV2.Configure). */
  private isMixing = false;

  private checkCall(expr: CallExpr): CelType {
    const { name, args, target } = expr;
    const [operand, field] = args;
    if (
      name === '_?._' &&
      operand &&
      field?.kind === 'literal' &&
      typeof field.value === 'string'
    ) {
      this.types.set(field.id, celTypes.string);
      return this.selectField(expr, operand, field.value, true);
    }
    const full = this.qualifiedFunction(expr);
    if (full !== undefined) this.qualified.set(expr.id, full);
    const receiver = full === undefined ? target : undefined;
    const wasMixing = this.isMixing;
    this.isMixing ||= name === 'format';
    for (const arg of args) this.check(arg);
    if (receiver) this.check(receiver);
    this.isMixing = wasMixing;
    const called = full ?? name.replace(/^\./, '');
    const declared = this.env.functions.find(called);
    if (!declared) return this.undeclared(expr, called);
    const operands = receiver ? [receiver, ...args] : args;
    return this.resolve(expr, declared, operands, receiver !== undefined);
  }

  /** `ip.isCanonical`, where the target is no value but a part of the name. */
  private qualifiedFunction({ name, target }: CallExpr): string | undefined {
    const prefix = target && qualifiedName(target);
    if (prefix === undefined) return undefined;
    const full = `${prefix.replace(/^\./, '')}.${name}`;
    return this.env.functions.find(full) ? full : undefined;
  }

  private resolve(
    expr: CallExpr,
    declared: readonly Overload[],
    operands: readonly Expr[],
    member: boolean,
  ): CelType {
    const types = operands.map((operand) => this.typeOf(operand));
    if (expr.name === '_&&_' || expr.name === '_||_') {
      this.overloads.set(expr.id, declared);
      return this.checkLogical(operands);
    }
    this.fresh += 1;
    const found = resolveOverloads(this.subst, declared, {
      types,
      member,
      suffix: `_${this.fresh}`,
    });
    if (found) {
      this.subst = found.subst;
      this.overloads.set(expr.id, found.overloads);
      return found.result;
    }
    const shown = types.map((type) => this.format(type));
    const [receiver = '', ...rest] = shown;
    const applied = member ? `${receiver}.(${rest.join(', ')})` : `(${shown.join(', ')})`;
    const called = this.qualified.get(expr.id) ?? expr.name;
    this.report(expr, `found no matching overload for '${called}' applied to '${applied}'`);
    return celTypes.error;
  }

  private checkLogical(operands: readonly Expr[]): CelType {
    let good = true;
    for (const operand of operands) {
      const type = this.typeOf(operand);
      if (this.assign(celTypes.bool, type)) continue;
      this.mismatch(operand, celTypes.bool, type);
      good = false;
    }
    return good ? celTypes.bool : celTypes.error;
  }

  /** The type inside an optional element; reports one that is not optional. */
  private unwrapped(expr: Expr, type: CelType): CelType {
    const at = this.subst.resolve(type);
    if (at.kind === 'opaque' && at.name === OPTIONAL) return at.params[0] ?? celTypes.dyn;
    if (!isDyn(at)) this.mismatch(expr, optionalOf(at), at);
    return at;
  }

  private join(expr: Expr, previous: CelType | undefined, type: CelType): CelType {
    if (!previous) return type;
    if (this.assign(previous, type)) return mostGeneral(previous, type);
    if (this.isMixing) return celTypes.dyn;
    this.mismatch(expr, previous, type);
    return celTypes.error;
  }

  private checkList({ elements, optional }: ListExpr): CelType {
    let element: CelType | undefined;
    elements.forEach((one, i) => {
      const type = this.check(one);
      element = this.join(one, element, optional.has(i) ? this.unwrapped(one, type) : type);
    });
    return listOf(element ?? this.freshParam());
  }

  private checkMap({ entries }: MapExpr): CelType {
    let keyType: CelType | undefined;
    let valueType: CelType | undefined;
    for (const { key, value, optional } of entries) {
      keyType = this.join(key, keyType, this.check(key));
      const type = this.check(value);
      valueType = this.join(value, valueType, optional ? this.unwrapped(value, type) : type);
    }
    return mapOf(keyType ?? this.freshParam(), valueType ?? this.freshParam());
  }

  private checkStruct(expr: StructExpr): CelType {
    const struct = this.env.structs?.get(expr.type);
    for (const { field, value, optional, offset } of expr.fields) {
      const given = this.check(value);
      if (!struct) continue;
      const wanted = struct.fields.get(field)?.type;
      const type = optional ? this.unwrapped(value, given) : given;
      if (!wanted) this.report({ offset }, `undefined field '${field}'`);
      else if (!this.assign(wanted, type)) {
        const text = `expected type of field '${field}' is '${this.format(wanted)}' but provided type is '${this.format(type)}'`;
        this.report({ offset }, text);
      }
    }
    return struct ?? this.undeclared(expr, expr.type);
  }

  /** The types of the iteration variables. */
  private rangeTypes(expr: ComprehensionExpr): readonly [CelType, CelType] {
    const { range, variable2 } = expr;
    const type = this.subst.apply(this.check(range));
    if (type.kind === 'list')
      return variable2 === undefined ? [type.element, type.element] : [celTypes.int, type.element];
    if (type.kind === 'map') return [type.key, type.value];
    if (isDyn(type) || type.kind === 'param') {
      this.assign(celTypes.dyn, type);
      return [celTypes.dyn, celTypes.dyn];
    }
    const text = `expression of type '${formatType(type)}' cannot be range of a comprehension (must be list, map, or dynamic)`;
    this.report(range, text);
    return [celTypes.error, celTypes.error];
  }

  private checkComprehension(expr: ComprehensionExpr): CelType {
    const [first, second] = this.rangeTypes(expr);
    const accumulated = this.check(expr.init);
    this.scopes.push(new Map([[expr.accumulator, accumulated]]));
    const variables = new Map([[expr.variable, first]]);
    if (expr.variable2 !== undefined) variables.set(expr.variable2, second);
    this.scopes.push(variables);
    this.require(expr.condition, celTypes.bool);
    this.require(expr.step, accumulated);
    this.scopes.pop();
    const result = this.subst.apply(this.check(expr.result));
    this.scopes.pop();
    return result;
  }

  private require(expr: Expr, type: CelType): void {
    const found = this.check(expr);
    if (!this.assign(type, found)) this.mismatch(expr, type, found);
  }
}
