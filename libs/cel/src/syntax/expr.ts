import type { Uint } from '../values/scalars.js';

/** Offset of a node in the source, counted in UTF-16 units. */
export interface Positioned {
  readonly id: number;
  readonly offset: number;
}

export type Literal = null | boolean | bigint | number | string | Uint8Array | Uint;

export interface LiteralExpr extends Positioned {
  readonly kind: 'literal';
  readonly value: Literal;
}

export interface IdentExpr extends Positioned {
  readonly kind: 'ident';
  readonly name: string;
}

export interface SelectExpr extends Positioned {
  readonly kind: 'select';
  readonly operand: Expr;
  readonly field: string;
  /** has(operand.field) */
  readonly testOnly: boolean;
}

export interface CallExpr extends Positioned {
  readonly kind: 'call';
  readonly name: string;
  readonly target?: Expr;
  readonly args: readonly Expr[];
}

export interface ListExpr extends Positioned {
  readonly kind: 'list';
  readonly elements: readonly Expr[];
  /** Indices of elements written as `?x`. */
  readonly optional: ReadonlySet<number>;
}

export interface MapEntry {
  readonly key: Expr;
  readonly value: Expr;
  readonly optional: boolean;
}

export interface MapExpr extends Positioned {
  readonly kind: 'map';
  readonly entries: readonly MapEntry[];
}

export interface FieldInit {
  readonly field: string;
  readonly value: Expr;
  readonly optional: boolean;
  readonly offset: number;
}

export interface StructExpr extends Positioned {
  readonly kind: 'struct';
  readonly type: string;
  readonly fields: readonly FieldInit[];
}

/** A fold over a list or map, which every macro over collections becomes (cel-go common/ast:ComprehensionExpr). */
export interface ComprehensionExpr extends Positioned {
  readonly kind: 'comprehension';
  readonly range: Expr;
  readonly variable: string;
  /** The value (of a map) or element (of a list) where the first variable is the key or index. */
  readonly variable2?: string;
  readonly accumulator: string;
  readonly init: Expr;
  readonly condition: Expr;
  readonly step: Expr;
  readonly result: Expr;
}

export type Expr =
  | LiteralExpr
  | IdentExpr
  | SelectExpr
  | CallExpr
  | ListExpr
  | MapExpr
  | StructExpr
  | ComprehensionExpr;

/** Name of the accumulator of macros; not an identifier, so that no expression can name it. */
export const ACCUMULATOR = '@result';
