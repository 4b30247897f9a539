import { ConfigError, Flag, IsDuration, parseDuration, parseFlags } from '@orrery/component';
import { IsIn, IsInt, IsOptional, IsString, Min } from 'class-validator';

/** The flags of `orrery etcd`. */
export class EtcdFlags {
  @Flag('name of the cluster whose etcd is meant')
  @IsString()
  name = 'orrery';

  @Flag('another etcd: http(s)://host:port of its members, comma-separated')
  endpoints: string[] = [];

  @Flag('CA file of that etcd')
  @IsString()
  cacert = '';

  @Flag('client certificate file for it')
  @IsString()
  cert = '';

  @Flag('client key file for it')
  @IsString()
  key = '';

  @Flag('user of it')
  @IsString()
  user = '';

  @Flag('file with the password of that user')
  @IsString()
  passwordFile = '';

  @Flag('table or json; also -o')
  @IsIn(['table', 'json'])
  output = 'table';

  @Flag('time limit of one call')
  @IsDuration()
  timeout = '10s';

  @Flag('snapshot restore: the newest revision before, when etcd cannot be asked for it any more')
  @IsOptional()
  @IsInt()
  @Min(1)
  above?: number = undefined;
}

/** What was typed behind `orrery etcd`: the words before the first flag, and the flags. */
export interface EtcdCall {
  readonly words: readonly string[];
  readonly flags: EtcdFlags;
  readonly timeoutMs: number;
}

const SHORT_OUTPUT = /^-o=?(.*)$/;

/** etcdctl's short flag by its long name. */
function spellOut(argv: readonly string[]): string[] {
  return argv.flatMap((arg) => {
    const short = arg.startsWith('--') ? null : SHORT_OUTPUT.exec(arg);
    if (!short) return [arg];
    return short[1] ? [`--output=${short[1]}`] : ['--output'];
  });
}

export function parseEtcdCall(argv: readonly string[]): EtcdCall {
  const spelled = spellOut(argv);
  const at = spelled.findIndex((arg) => arg.startsWith('-'));
  const words = at < 0 ? spelled : spelled.slice(0, at);
  const flags = parseFlags(EtcdFlags, at < 0 ? [] : spelled.slice(at), 'orrery etcd');
  if ((flags.cert === '') !== (flags.key === ''))
    throw new ConfigError('--cert and --key go together');
  if ((flags.user === '') !== (flags.passwordFile === ''))
    throw new ConfigError('--user and --password-file go together');
  return { words, flags, timeoutMs: parseDuration(flags.timeout) ?? 0 };
}
