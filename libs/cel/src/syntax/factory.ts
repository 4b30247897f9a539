import type { Expr, FieldInit, Literal, MapEntry } from './expr.js';

const NONE: ReadonlySet<number> = new Set();

/** Makes nodes with ids that are unique in one expression. */
export class ExprFactory {
  private last = 0;

  private next(): number {
    this.last += 1;
    return this.last;
  }

  literal(offset: number, value: Literal): Expr {
    return { kind: 'literal', id: this.next(), offset, value };
  }

  ident(offset: number, name: string): Expr {
    return { kind: 'ident', id: this.next(), offset, name };
  }

  select(offset: number, operand: Expr, field: string, testOnly = false): Expr {
    return { kind: 'select', id: this.next(), offset, operand, field, testOnly };
  }

  call(offset: number, name: string, args: readonly Expr[], target?: Expr): Expr {
    const call = { kind: 'call', id: this.next(), offset, name, args } as const;
    return target ? { ...call, target } : call;
  }

  list(offset: number, elements: readonly Expr[], optional = NONE): Expr {
    return { kind: 'list', id: this.next(), offset, elements, optional };
  }

  map(offset: number, entries: readonly MapEntry[]): Expr {
    return { kind: 'map', id: this.next(), offset, entries };
  }

  struct(offset: number, type: string, fields: readonly FieldInit[]): Expr {
    return { kind: 'struct', id: this.next(), offset, type, fields };
  }

  comprehension(
    offset: number,
    fold: Omit<Extract<Expr, { kind: 'comprehension' }>, 'kind' | 'id' | 'offset'>,
  ): Expr {
    return { kind: 'comprehension', id: this.next(), offset, ...fold };
  }
}
