/** A glob of redis as a regular expression: `*`, `?` and `[...]`. */
export function globOf(pattern: string): RegExp {
  const text = pattern
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  try {
    return new RegExp(`^${text}$`, 's');
  } catch {
    // An open bracket: only itself.
    return new RegExp(`^${pattern.replace(/[[\].+*?^${}()|\\]/g, '\\$&')}$`, 's');
  }
}
