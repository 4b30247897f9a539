/** One thing that is wrong with an expression, at an offset of its source. */
export interface Issue {
  readonly offset: number;
  readonly message: string;
}

function locate(source: string, offset: number): { line: number; column: number; text: string } {
  const before = source.slice(0, offset).split('\n');
  const line = before.length;
  return {
    line,
    column: Array.from(before[line - 1] ?? '').length,
    text: source.split('\n')[line - 1] ?? '',
  };
}

/** cel-go common/error.go:ToDisplayString. */
function display(source: string, { offset, message }: Issue): string {
  if (offset < 0) return `ERROR: <input>:-1:0: ${message}`;
  const { line, column, text } = locate(source, offset);
  const head = `ERROR: <input>:${line}:${column + 1}: ${message}`;
  const dots = Array.from(text)
    .slice(0, column)
    .map((char) => (char === '\t' ? '\t' : (char.codePointAt(0) ?? 0) > 0x2e80 ? '．' : '.'))
    .join('');
  const caret = `${dots}^`;
  return `${head}\n | ${text.replaceAll('\t', ' ')}\n | ${caret}`;
}

/** All issues in the form in which cel-go prints them, in the order of the source. */
export function formatIssues(source: string, issues: readonly Issue[]): string {
  return [...issues]
    .sort((a, b) => a.offset - b.offset)
    .map((issue) => display(source, issue))
    .join('\n');
}

/** Thrown by the parser at the first thing that it cannot read. */
export class SyntaxIssue extends Error {
  constructor(
    readonly offset: number,
    message: string,
  ) {
    super(message);
    this.name = 'SyntaxIssue';
  }
}
