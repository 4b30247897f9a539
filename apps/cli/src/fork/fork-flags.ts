import { ConfigError, Flag, parseFlags } from '@orrery/component';
import { IsIn, IsString } from 'class-validator';

export class ForkFlags {
  @Flag('what to stand on: a revision, a time or a time ago (-5m); default: the state of now')
  @IsString()
  at: string = '';

  @Flag('run controllers, scheduler and hollow nodes on the fork until Ctrl-C')
  run: boolean = false;

  @Flag('make it the current context')
  use: boolean = false;

  @Flag('diff: what to compare with: what the fork stands on, or the live cluster as it is now')
  @IsIn(['base', 'live'])
  against: string = 'base';

  @Flag('diff: show Leases and Events too, which change by themselves')
  all: boolean = false;

  @Flag('ls, diff: text or json', 'output')
  @IsIn(['text', 'json'])
  output: string = 'text';

  @Flag('kubeconfig to read and write; default: the first of KUBECONFIG, else that of the cluster')
  @IsString()
  kubeconfig: string = '';

  @Flag('context of the cluster; default: the current one')
  @IsString()
  context: string = '';

  @Flag('name of the cluster, where no kubeconfig is named')
  @IsString()
  name: string = 'orrery';
}

export const FORK_VERBS = ['create', 'ls', 'diff', 'rm', 'run'] as const;
export type ForkVerb = (typeof FORK_VERBS)[number];

export interface ForkCall {
  readonly verb: ForkVerb;
  /** Names of forks. */
  readonly names: readonly string[];
  readonly flags: ForkFlags;
}

const SWITCHES = new Set(['--run', '--use', '--all', '--help', '-h']);

const isVerb = (word: string | undefined): word is ForkVerb =>
  FORK_VERBS.some((verb) => verb === word);

/** Tells words and flags apart; a flag's value may begin with a minus (`--at -5m`). */
function split(argv: readonly string[]): { readonly words: string[]; readonly flags: string[] } {
  const words: string[] = [];
  const flags: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const arg = (argv[i] ?? '').replace(/^-o(?==|$)/, '--output');
    const next = argv[i + 1];
    if (!arg.startsWith('-')) words.push(arg);
    else if (arg.includes('=') || SWITCHES.has(arg) || next === undefined) flags.push(arg);
    else {
      flags.push(`${arg}=${next}`);
      i++;
    }
  }
  return { words, flags };
}

/** Reads `fork [ls|diff|rm|run] [NAME …] [flags]`; `create` may be left out. Throws ConfigError. */
export function parseFork(argv: readonly string[]): ForkCall {
  const { words, flags: given } = split(argv);
  const flags = parseFlags(ForkFlags, given, 'orrery fork [create|ls|diff|rm|run] [NAME]');
  const [first] = words;
  const verb = isVerb(first) ? first : 'create';
  const names = isVerb(first) ? words.slice(1) : words;
  if (verb === 'ls' && names.length > 0) throw new ConfigError('orrery fork ls takes no name');
  if (verb === 'create' && names.length > 1)
    throw new ConfigError(`orrery fork makes one fork at a time, not ${names.join(' and ')}`);
  if ((verb === 'diff' || verb === 'run') && names.length !== 1)
    throw new ConfigError(`orrery fork ${verb} needs the name of one fork; see orrery fork ls`);
  if (verb === 'rm' && names.length === 0)
    throw new ConfigError('orrery fork rm needs the name of a fork; see orrery fork ls');
  return { verb, names, flags };
}
