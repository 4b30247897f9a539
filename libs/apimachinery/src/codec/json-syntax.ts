/** Where the words of Go's encoding/json for bad syntax come from: encoding/json/scanner.go. */
const END = 'unexpected end of JSON input';

/** As Go quotes the character that is not expected. */
function quoted(char: string): string {
  if (char === "'") return String.raw`'\''`;
  if (char === '"') return `'"'`;
  return `'${JSON.stringify(char).slice(1, -1)}'`;
}

class SyntaxProblem extends Error {}

/** Reads JSON as far as it is well formed; only used to find words for what is not. */
class Scanner {
  private at = 0;

  /** `text` has a character for each byte, as Go looks at bytes. */
  constructor(private readonly text: string) {}

  document(): void {
    this.value();
    this.space();
    if (this.at < this.text.length) this.refuse('after top-level value');
  }

  private refuse(context: string): never {
    if (this.at >= this.text.length) throw new SyntaxProblem(END);
    const char = this.text.charAt(this.at);
    throw new SyntaxProblem(`invalid character ${quoted(char)} ${context}`);
  }

  private space(): void {
    while (/[ \t\r\n]/.test(this.text.charAt(this.at))) this.at += 1;
  }

  /** A value, with a stack of its own: the text may be deep. */
  private value(): void {
    const open: ('{' | '[')[] = [];
    for (;;) {
      this.space();
      const char = this.text.charAt(this.at);
      if (char === '{' || char === '[') {
        this.at += 1;
        open.push(char);
        this.space();
        if (this.text.charAt(this.at) !== (char === '{' ? '}' : ']')) {
          if (char === '{') this.key('looking for beginning of object key string');
          continue;
        }
      } else this.scalar(char);
      if (!this.closeAll(open)) return;
    }
  }

  /** After a value: whether another one follows. */
  private closeAll(open: ('{' | '[')[]): boolean {
    for (;;) {
      const [inside] = open.slice(-1);
      if (!inside) return false;
      this.space();
      const char = this.text.charAt(this.at);
      if (char === (inside === '{' ? '}' : ']')) {
        this.at += 1;
        open.pop();
        continue;
      }
      if (char !== ',')
        this.refuse(inside === '{' ? 'after object key:value pair' : 'after array element');
      this.at += 1;
      this.space();
      if (inside === '{') this.key('looking for beginning of object key string');
      return true;
    }
  }

  private key(context: string): void {
    if (this.text.charAt(this.at) !== '"') this.refuse(context);
    this.string();
    this.space();
    if (this.text.charAt(this.at) !== ':') this.refuse('after object key');
    this.at += 1;
  }

  private scalar(char: string): void {
    if (char === '"') this.string();
    else if (char === 't') this.literal('true');
    else if (char === 'f') this.literal('false');
    else if (char === 'n') this.literal('null');
    else if (/[-0-9]/.test(char)) this.number();
    else this.refuse('looking for beginning of value');
  }

  private literal(word: string): void {
    for (const expected of word) {
      if (this.text.charAt(this.at) !== expected)
        this.refuse(`in literal ${word} (expecting ${quoted(expected)})`);
      this.at += 1;
    }
  }

  private string(): void {
    this.at += 1;
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (Number.isNaN(code) || code < 0x20) this.refuse('in string literal');
      this.at += 1;
      if (code === 0x22) return;
      if (code === 0x5c) this.escape();
    }
  }

  private escape(): void {
    const char = this.text.charAt(this.at);
    if (!/["\\/bfnrtu]/.test(char)) this.refuse('in string escape code');
    this.at += 1;
    for (let i = 0; char === 'u' && i < 4; i += 1) {
      if (!/[0-9a-fA-F]/.test(this.text.charAt(this.at)))
        this.refuse(String.raw`in \u hexadecimal character escape`);
      this.at += 1;
    }
  }

  private digits(context: string): void {
    if (!/[0-9]/.test(this.text.charAt(this.at))) this.refuse(context);
    while (/[0-9]/.test(this.text.charAt(this.at))) this.at += 1;
  }

  private number(): void {
    if (this.text.charAt(this.at) === '-') this.at += 1;
    if (this.text.charAt(this.at) === '0') this.at += 1;
    else this.digits('in numeric literal');
    if (this.text.charAt(this.at) === '.') {
      this.at += 1;
      this.digits('after decimal point in numeric literal');
    }
    if (!/[eE]/.test(this.text.charAt(this.at))) return;
    this.at += 1;
    if (/[-+]/.test(this.text.charAt(this.at))) this.at += 1;
    this.digits('in exponent of numeric literal');
  }
}

/** What is wrong with a text that is no JSON, in the words of Go's encoding/json; undefined when nothing is. */
export function jsonSyntaxProblem(input: Uint8Array | string): string | undefined {
  const bytes = typeof input === 'string' ? Buffer.from(input, 'utf8') : Buffer.from(input);
  try {
    new Scanner(bytes.toString('latin1')).document();
    return undefined;
  } catch (error) {
    if (error instanceof SyntaxProblem) return error.message;
    throw error;
  }
}
