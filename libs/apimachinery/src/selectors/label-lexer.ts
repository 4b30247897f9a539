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

const SYMBOLS: readonly TokenKind[] = [')', '(', ',', '!', '=', '>', '<'];
/** Up to whitespace or a symbol. */
const WORD = /[^=!(),>< \t\r\n]*/y;
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
  const c = text.charAt(at);
  const isTwo = (c === '=' || c === '!') && text.charAt(at + 1) === '=';
  const two: TokenKind = c === '=' ? '==' : '!=';
  const kind = isTwo ? two : (SYMBOLS.find((symbol) => symbol === c) ?? 'error');
  return { kind, text: kind };
}

function scanWord(text: string, from: number): Token {
  WORD.lastIndex = from;
  WORD.test(text);
  const word = text.slice(from, WORD.lastIndex);
  return { kind: word === 'in' || word === 'notin' ? word : 'identifier', text: word };
}
