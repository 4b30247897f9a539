/**
 * Replaces `$(NAME)` by the variable's value; `$$` is a literal `$`, an unknown name stays as written
 * (k8s third_party/forked/golang/expansion).
 */
export function expand(text: string, lookup: (name: string) => string | undefined): string {
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (char !== '$' || i + 1 >= text.length) {
      out += char;
      continue;
    }
    const next = text.charAt(i + 1);
    const end = next === '(' ? text.indexOf(')', i + 2) : -1;
    if (next === '$') {
      out += '$';
      i++;
    } else if (next !== '(') {
      out += `$${next}`;
      i++;
    } else if (end < 0) {
      out += '$(';
      i++;
    } else {
      const name = text.slice(i + 2, end);
      out += lookup(name) ?? `$(${name})`;
      i = end;
    }
  }
  return out;
}
