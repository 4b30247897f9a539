/** What stands behind a command: words, and flags in their long form. */
export interface CommandLine {
  readonly words: readonly string[];
  readonly flags: readonly string[];
}

/** kubectl's short flags. */
const SHORT: Readonly<Record<string, string>> = {
  n: 'namespace',
  o: 'output',
  A: 'all-namespaces',
  f: 'follow',
};

/** Flags that are followed by a value, which may begin with a minus: `--from -5m`. */
const WITH_VALUE = new Set([
  'namespace',
  'output',
  'kubeconfig',
  'context',
  'from',
  'to',
  'since',
  'at',
  'limit',
  'resource',
]);

/** The long form of one argument: `-oyaml` and `-o=yaml` are `--output=yaml`; undefined = it is a word. */
function longForm(argument: string): string | undefined {
  if (argument.startsWith('--')) return argument;
  const [, letter = '', rest = ''] = /^-([A-Za-z])=?(.*)$/s.exec(argument) ?? [];
  const name = SHORT[letter];
  if (name === undefined)
    return argument.startsWith('-') && argument.length > 1 ? argument : undefined;
  return rest === '' ? `--${name}` : `--${name}=${rest}`;
}

/** Tells words from flags, wherever they stand, as kubectl does. */
export function readCommandLine(argv: readonly string[]): CommandLine {
  const words: string[] = [];
  const flags: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i] ?? '';
    const flag = longForm(argument);
    if (flag === undefined) {
      words.push(argument);
      continue;
    }
    const value = argv[i + 1];
    const takesNext = !flag.includes('=') && WITH_VALUE.has(flag.slice(2)) && value !== undefined;
    flags.push(takesNext ? `${flag}=${value}` : flag);
    if (takesNext) i++;
  }
  return { words, flags };
}
