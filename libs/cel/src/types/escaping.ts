const RESERVED = new Set(
  (
    'true false null in as break const continue else for function if import let loop package namespace return ' +
    'var void while'
  ).split(' '),
);
const WORDS: Readonly<Record<string, string>> = {
  __: '__underscores__',
  '.': '__dot__',
  '-': '__dash__',
  '/': '__slash__',
};
const BACK = new Map([
  ['underscores', '__'],
  ['dot', '.'],
  ['dash', '-'],
  ['slash', '/'],
]);

/** True for what an expression can name (k8s pkg/apis/admissionregistration/validation/validation.go:isCELIdentifier). */
export const isIdentifier = (name: string): boolean =>
  /^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) && !RESERVED.has(name);

/** The identifier under which expressions know a property; undefined when there is none (k8s apiserver pkg/cel/escaping.go:Escape). */
export function escapeName(name: string): string | undefined {
  if (!/^[A-Za-z_.\-/][A-Za-z0-9_.\-/]*$/.test(name)) return undefined;
  if (RESERVED.has(name)) return `__${name}__`;
  return name.replace(/__|[.\-/]/g, (found) => WORDS[found] ?? found);
}

/** The property behind an escaped identifier; undefined for an escape that is none. */
export function unescapeName(identifier: string): string | undefined {
  let good = true;
  const name = identifier.replace(/__([^_]+)__/g, (found, word: string) => {
    const known = BACK.get(word);
    if (known !== undefined) return known;
    if (RESERVED.has(word) && found === identifier) return word;
    good = false;
    return found;
  });
  return good ? name : undefined;
}
