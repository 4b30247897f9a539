import type { Expr, FieldInit, Literal, MapEntry } from './expr.js';
import { ExprFactory } from './factory.js';
import type { Issue } from './issues.js';
import { SyntaxIssue } from './issues.js';
import type { Token } from './lexer.js';
import { tokenize } from './lexer.js';
import { expandMacro } from './macros.js';

/** Operators by precedence, loosest first, with the functions that they call. */
const BINARY: readonly Readonly<Record<string, string>>[] = [
  { '||': '_||_' },
  { '&&': '_&&_' },
  {
    '==': '_==_',
    '!=': '_!=_',
    '<': '_<_',
    '<=': '_<=_',
    '>': '_>_',
    '>=': '_>=_',
    in: '@in',
  },
  { '+': '_+_', '-': '_-_' },
  { '*': '_*_', '/': '_/_', '%': '_%_' },
];

const RESERVED = new Set(
  (
    'as break const continue else false for function if import in let loop package namespace null return true ' +
    'var void while'
  ).split(' '),
);

/** cel-go parser/options.go: defaults of the recursion limits. */
const MAX_DEPTH = 250;
const MAX_INT = 2n ** 63n - 1n;

class Parser {
  private at = 0;
  private depth = 0;
  readonly factory = new ExprFactory();

  constructor(
    private readonly tokens: readonly Token[],
    private readonly bindings: boolean,
  ) {}

  parse(): Expr {
    const expr = this.expression();
    if (this.token.kind !== 'end') this.unexpected();
    return expr;
  }

  private get token(): Token {
    const token = this.tokens[this.at] ?? this.tokens.at(-1);
    if (!token) throw new SyntaxIssue(0, 'Syntax error: no input');
    return token;
  }

  private unexpected(expected?: string): never {
    const { kind, text, offset } = this.token;
    const shown = kind === 'end' ? '<EOF>' : text;
    if (expected !== undefined)
      throw new SyntaxIssue(offset, `Syntax error: missing '${expected}' at '${shown}'`);
    const where = `mismatched input '${shown}' expecting`;
    const starts =
      "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";
    throw new SyntaxIssue(offset, `Syntax error: ${where} ${starts}`);
  }

  private is(text: string): boolean {
    return this.token.kind === 'punctuation' && this.token.text === text;
  }

  private take(text: string): boolean {
    if (!this.is(text)) return false;
    this.at += 1;
    return true;
  }

  private expect(text: string): Token {
    const { token } = this;
    if (!this.take(text)) this.unexpected(text);
    return token;
  }

  private expression(): Expr {
    if (++this.depth > MAX_DEPTH)
      throw new SyntaxIssue(-1, `expression recursion limit exceeded: ${MAX_DEPTH}`);
    const condition = this.binary(0);
    let expr = condition;
    const { offset } = this.token;
    if (this.take('?')) {
      const yes = this.binary(0);
      this.expect(':');
      expr = this.factory.call(offset, '_?_:_', [condition, yes, this.expression()]);
    }
    this.depth -= 1;
    return expr;
  }

  private binary(level: number): Expr {
    const operators = BINARY[level];
    if (!operators) return this.unary();
    let left = this.binary(level + 1);
    for (;;) {
      const { kind, text, offset } = this.token;
      const name = kind === 'punctuation' ? operators[text] : undefined;
      if (name === undefined) return left;
      this.at += 1;
      left = this.factory.call(offset, name, [left, this.binary(level + 1)]);
    }
  }

  private unary(): Expr {
    const { offset } = this.token;
    const operator = this.is('!') ? '!' : this.is('-') ? '-' : undefined;
    if (operator === undefined) return this.postfix(this.primary());
    let count = 0;
    while (this.take(operator)) count += 1;
    const next = this.token.value;
    if (operator === '-' && (typeof next === 'bigint' || typeof next === 'number')) {
      this.at += 1;
      const negated = this.postfix(this.literal(offset, -next));
      count -= 1;
      return count % 2 === 1 ? this.factory.call(offset, '-_', [negated]) : negated;
    }
    const operand = this.postfix(this.primary());
    if (count % 2 === 0) return operand;
    return this.factory.call(offset, operator === '!' ? '!_' : '-_', [operand]);
  }

  private literal(offset: number, value: Literal): Expr {
    const isTooBig = typeof value === 'bigint' && (value > MAX_INT || value < -MAX_INT - 1n);
    if (isTooBig) throw new SyntaxIssue(offset, 'invalid int literal');
    return this.factory.literal(offset, value);
  }

  private postfix(operand: Expr): Expr {
    let expr = operand;
    for (;;) {
      const { offset } = this.token;
      if (this.take('.')) expr = this.member(expr, offset);
      else if (this.take('[')) {
        const optional = this.take('?');
        const index = this.expression();
        this.expect(']');
        expr = this.factory.call(offset, optional ? '_[?_]' : '_[_]', [expr, index]);
      } else return expr;
    }
  }

  private fieldName(): Token {
    const { token } = this;
    const isWord = token.kind === 'literal' && typeof token.value !== 'string';
    if (token.kind !== 'ident' && token.kind !== 'quoted-ident') {
      const shown = token.kind === 'end' ? '<EOF>' : token.text;
      const where = isWord ? 'no viable alternative at input' : 'mismatched input';
      const text = isWord ? `${where} '.${shown}'` : `${where} '${shown}' expecting IDENTIFIER`;
      throw new SyntaxIssue(token.offset, `Syntax error: ${text}`);
    }
    this.at += 1;
    return token;
  }

  private member(target: Expr, offset: number): Expr {
    const optional = this.take('?');
    const { text, kind } = this.fieldName();
    if (optional) {
      const name = this.factory.literal(offset, text);
      return this.factory.call(offset, '_?._', [target, name]);
    }
    const open = this.token;
    if (kind === 'ident' && this.take('(')) {
      const args = this.list(')', () => this.expression());
      return this.callOrMacro(open.offset, text, target, args);
    }
    return this.factory.select(offset, target, text);
  }

  private callOrMacro(offset: number, name: string, target: Expr | undefined, args: Expr[]): Expr {
    const expanded = expandMacro({
      factory: this.factory,
      offset,
      name,
      args,
      target,
      bindings: this.bindings,
    });
    return expanded ?? this.factory.call(offset, name, args, target);
  }

  /** What is between brackets, up to and with `end`; a trailing comma is allowed. */
  private list<T>(end: string, item: () => T): T[] {
    const items: T[] = [];
    while (!this.is(end)) {
      items.push(item());
      if (!this.take(',')) break;
    }
    this.expect(end);
    return items;
  }

  private primary(): Expr {
    const { token } = this;
    const { offset, kind, text } = token;
    if (kind === 'literal') {
      this.at += 1;
      return this.literal(offset, token.value ?? null);
    }
    if (this.take('(')) {
      const inner = this.expression();
      this.expect(')');
      return inner;
    }
    if (this.take('[')) return this.listLiteral(offset);
    if (this.take('{'))
      return this.factory.map(
        offset,
        this.list('}', () => this.mapEntry()),
      );
    if (kind === 'ident' || (this.is('.') && this.tokens[this.at + 1]?.kind === 'ident')) {
      const leading = this.take('.');
      const name = this.token.text;
      this.at += 1;
      return this.identifier(offset, leading, name);
    }
    return this.unexpected(text === '' ? undefined : undefined);
  }

  private identifier(offset: number, leading: boolean, name: string): Expr {
    if (RESERVED.has(name)) throw new SyntaxIssue(offset, `reserved identifier: ${name}`);
    const full = leading ? `.${name}` : name;
    const open = this.token.offset;
    if (this.take('(')) {
      const args = this.list(')', () => this.expression());
      return this.callOrMacro(open, full, undefined, args);
    }
    const struct = this.structName(full);
    if (struct === undefined) return this.factory.ident(offset, full);
    const at = this.token.offset;
    this.expect('{');
    return this.factory.struct(
      at,
      struct,
      this.list('}', () => this.fieldInit()),
    );
  }

  /** `Object.spec.containers` when a `{` follows; what was read of it is taken. */
  private structName(first: string): string | undefined {
    let at = this.at;
    let name = first;
    while (this.tokens[at]?.text === '.' && this.tokens[at + 1]?.kind === 'ident') {
      name += `.${this.tokens[at + 1]?.text}`;
      at += 2;
    }
    const next = this.tokens[at];
    if (next?.kind !== 'punctuation' || next.text !== '{') return undefined;
    this.at = at;
    return name;
  }

  private fieldInit(): FieldInit {
    const optional = this.take('?');
    const { text, offset } = this.fieldName();
    this.expect(':');
    return { field: text, offset, optional, value: this.expression() };
  }

  private mapEntry(): MapEntry {
    const optional = this.take('?');
    const key = this.expression();
    this.expect(':');
    return { key, optional, value: this.expression() };
  }

  private listLiteral(offset: number): Expr {
    const optional = new Set<number>();
    let count = 0;
    const elements = this.list(']', () => {
      if (this.take('?')) optional.add(count);
      count += 1;
      return this.expression();
    });
    return this.factory.list(offset, elements, optional);
  }
}

export type Parsed =
  | { readonly expr: Expr; readonly factory: ExprFactory; readonly issues?: undefined }
  | { readonly issues: readonly Issue[] };

/** Largest source of an expression in characters (cel-go parser/options.go:defaultExpressionSizeCodePointLimit). */
const MAX_SOURCE = 100_000;

/** Reads an expression; macros are expanded, `cel.bind` only where it is known. */
export function parse(source: string, bindings = false): Parsed {
  try {
    if (source.length > MAX_SOURCE) {
      const message = `expression code point size exceeds limit: size: ${source.length}, limit ${MAX_SOURCE}`;
      return { issues: [{ offset: -1, message }] };
    }
    const parser = new Parser(tokenize(source), bindings);
    return { expr: parser.parse(), factory: parser.factory };
  } catch (error) {
    if (error instanceof SyntaxIssue)
      return { issues: [{ offset: error.offset, message: error.message }] };
    throw error;
  }
}
