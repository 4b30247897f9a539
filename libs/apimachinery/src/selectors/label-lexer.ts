export type TokenKind =
  | 'error'
  | 'end'
  | 'identifier'
  | ')'
  | '('
  | ','
  | '!'
  | '='
  | '=='
  | '!='
  | '>'
  | '<'
  | 'in'
  | 'notin';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

const SYMBOLS: readonly TokenKind[] = [')', '(', ',', '!', '=', '==', '!=', '>', '<'];
const isWhitespace = (c: string): boolean => c === ' ' || c === '\t' || c === '\r' || c === '\n';
const isSpecial = (c: string): boolean => '=!(),><'.includes(c);

/** Splits a label selector into tokens, as Lexer in k8s apimachinery/pkg/labels/selector.go. */
export function lexLabelSelector(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const c = text.charAt(at);
    if (isWhitespace(c)) at += 1;
    else {
      const token = isSpecial(c) ? scanSymbol(text, at) : scanWord(text, at);
      tokens.push(token);
      at += token.text.length;
    }
  }
  tokens.push({ kind: 'end', text: '' });
  return tokens;
}

function scanSymbol(text: string, at: number): Token {
  const two = SYMBOLS.find((symbol) => symbol.length === 2 && text.startsWith(symbol, at));
  const one = SYMBOLS.find((symbol) => symbol === text.charAt(at)) ?? 'error';
  const kind = two ?? one;
  return { kind, text: kind };
}

function scanWord(text: string, from: number): Token {
  let to = from;
  while (to < text.length && !isSpecial(text.charAt(to)) && !isWhitespace(text.charAt(to))) to += 1;
  const word = text.slice(from, to);
  return { kind: word === 'in' || word === 'notin' ? word : 'identifier', text: word };
}
