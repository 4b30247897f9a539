import { ConfigError, Flag, IsDuration, parseFlags } from '@orrery/component';
import { IsString } from 'class-validator';

export class AtFlags {
  @Flag('kubeconfig to write to; default: the first of KUBECONFIG, else that of the cluster')
  @IsString()
  kubeconfig: string = '';

  @Flag('context of the live cluster; default: the current one')
  @IsString()
  context: string = '';

  @Flag('name of the cluster, where no kubeconfig is named')
  @IsString()
  name: string = 'orrery';

  @Flag('how long the moment is kept from being compacted away; 0 = as long as the history reaches')
  @IsDuration()
  pin: string = '8h';

  @Flag('speed of replays by kubectl get -w: 1 = as it was, 10 = ten times as fast; 0 = at once')
  @IsString()
  speed: string = '0';

  @Flag('make it the current context')
  use: boolean = false;

  @Flag('list the contexts of the past')
  list: boolean = false;

  @Flag('remove a context of the past (its name, or its revision) and what keeps it')
  @IsString()
  rm: string = '';
}

export interface AtCall {
  readonly moment: string;
  readonly flags: AtFlags;
}

/** Flags whose value may be a word of its own. */
const VALUED = ['--kubeconfig', '--context', '--name', '--pin', '--speed', '--rm'];

/** A moment may begin with a minus, as no flag with a number does. */
const isWord = (arg = '-'): boolean => !arg.startsWith('-') || /^-\d/.test(arg);

/** Reads `at <revision|time|-5m|now> [flags]`; the moment comes first or last. */
export function parseAt(argv: readonly string[]): AtCall {
  const found = [0, argv.length - 1].find(
    (i) => isWord(argv[i]) && !VALUED.includes(argv[i - 1] ?? ''),
  );
  const rest = argv.filter((_, i) => i !== found);
  const flags = parseFlags(AtFlags, rest, 'orrery at');
  const moment = found === undefined ? '' : (argv[found] ?? '');
  if (moment === '' && !flags.list && flags.rm === '')
    throw new ConfigError(
      'orrery at needs a moment: a revision (41), a time (2026-01-02T03:04:05Z), a time ago (-5m) or now; see orrery at --help',
    );
  return { moment, flags };
}
