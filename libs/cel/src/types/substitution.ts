import type { CelType } from './type.js';
import { celTypes, isDyn, listOf, mapOf } from './type.js';

const NULLABLE = new Set([
  'null',
  'dyn',
  'any',
  'error',
  'object',
  'timestamp',
  'duration',
  'opaque',
]);

/** What type parameters stand for so far (cel-go checker/mapping.go and types.go). */
export class Substitution {
  private readonly bound = new Map<string, CelType>();

  constructor(from?: Substitution) {
    if (from) for (const [name, type] of from.bound) this.bound.set(name, type);
  }

  /** Takes over what another one, made from this one, has found. */
  adopt(other: Substitution): void {
    for (const [name, type] of other.bound) this.bound.set(name, type);
  }

  resolve(type: CelType): CelType {
    let at = type;
    while (at.kind === 'param') {
      const next = this.bound.get(at.name);
      if (!next) return at;
      at = next;
    }
    return at;
  }

  /** The type with every parameter replaced; those that are free become dyn when `close` is set. */
  apply(type: CelType, close = false): CelType {
    const at = this.resolve(type);
    switch (at.kind) {
      case 'param':
        return close ? celTypes.dyn : at;
      case 'list': {
        const element = this.apply(at.element, close);
        return element === at.element ? at : { ...at, element };
      }
      case 'map': {
        const [key, value] = [this.apply(at.key, close), this.apply(at.value, close)];
        return key === at.key && value === at.value ? at : { ...at, key, value };
      }
      case 'opaque':
        return at.params.length === 0
          ? at
          : { ...at, params: at.params.map((param) => this.apply(param, close)) };
      case 'type':
        return at.of ? { ...at, of: this.apply(at.of, close) } : at;
      default:
        return at;
    }
  }

  /** True when a value of `source` may stand where `target` is asked for; binds parameters. */
  assign(target: CelType, source: CelType): boolean {
    const [to, from] = [this.resolve(target), this.resolve(source)];
    if (to === from) return true;
    if (to.kind === 'param') return this.bind(to.name, from);
    if (from.kind === 'param') return this.bind(from.name, to);
    if (isDyn(to) || isDyn(from)) return true;
    if (from.kind === 'null') return NULLABLE.has(to.kind);
    if (to.kind === 'null') return NULLABLE.has(from.kind);
    return this.assignParts(to, from);
  }

  private bind(name: string, type: CelType): boolean {
    if (type.kind === 'param' && type.name === name) return true;
    if (this.occurs(name, type)) return false;
    this.bound.set(name, type);
    return true;
  }

  private occurs(name: string, type: CelType): boolean {
    const at = this.resolve(type);
    switch (at.kind) {
      case 'param':
        return at.name === name;
      case 'list':
        return this.occurs(name, at.element);
      case 'map':
        return this.occurs(name, at.key) || this.occurs(name, at.value);
      case 'opaque':
        return at.params.some((param) => this.occurs(name, param));
      case 'type':
        return at.of !== undefined && this.occurs(name, at.of);
      default:
        return false;
    }
  }

  private assignParts(to: CelType, from: CelType): boolean {
    if (to.kind === 'list' && from.kind === 'list') return this.assign(to.element, from.element);
    if (to.kind === 'map' && from.kind === 'map')
      return this.assign(to.key, from.key) && this.assign(to.value, from.value);
    if (to.kind === 'object' && from.kind === 'object') return to.name === from.name;
    if (to.kind === 'opaque' && from.kind === 'opaque') {
      return (
        to.name === from.name &&
        to.params.length === from.params.length &&
        to.params.every((param, i) => this.assign(param, from.params[i] ?? celTypes.dyn))
      );
    }
    return to.kind === from.kind;
  }
}

/** True when the types are the same but for sizes. */
export function sameType(a: CelType, b: CelType): boolean {
  if (a === b) return true;
  if (a.kind === 'list' && b.kind === 'list') return sameType(a.element, b.element);
  if (a.kind === 'map' && b.kind === 'map')
    return sameType(a.key, b.key) && sameType(a.value, b.value);
  if (a.kind === 'opaque' && b.kind === 'opaque')
    return a.name === b.name && a.params.every((one, i) => sameType(one, b.params[i] ?? one));
  if (a.kind === 'object' && b.kind === 'object') return a.name === b.name;
  if (a.kind === 'param' && b.kind === 'param') return a.name === b.name;
  return a.kind === b.kind;
}

/** The one of two types that says less: what a list literal of both holds (cel-go checker/types.go:mostGeneral). */
export function mostGeneral(a: CelType, b: CelType): CelType {
  if (isLessSpecific(a, b)) return a;
  return isLessSpecific(b, a) ? b : a;
}

function isLessSpecific(a: CelType, b: CelType): boolean {
  if (isDyn(a)) return true;
  if (a.kind === 'param' && b.kind === 'param') return true;
  if (a.kind === 'list' && b.kind === 'list') return isLessSpecific(a.element, b.element);
  if (a.kind === 'map' && b.kind === 'map')
    return isLessSpecific(a.key, b.key) && isLessSpecific(a.value, b.value);
  return sameType(a, b);
}

/** Replaces the parameters of a signature by fresh ones. */
export function freshen(type: CelType, suffix: string): CelType {
  switch (type.kind) {
    case 'param':
      return { kind: 'param', name: `${type.name}${suffix}` };
    case 'list':
      return listOf(freshen(type.element, suffix));
    case 'map':
      return mapOf(freshen(type.key, suffix), freshen(type.value, suffix));
    case 'opaque':
      return { ...type, params: type.params.map((param) => freshen(param, suffix)) };
    case 'type':
      return type.of ? { kind: 'type', of: freshen(type.of, suffix) } : type;
    default:
      return type;
  }
}
