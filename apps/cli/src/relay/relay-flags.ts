import { ConfigError, Flag, IsDuration } from '@orrery/component';
import { ArrayNotEmpty, IsIn, IsInt, Matches, Min } from 'class-validator';

/** The flags of `orrery relay`. */
export class RelayFlags {
  @Flag('where it listens: ADDRESS:PORT, or ADDRESS:FIRST-LAST')
  @Matches(/^[^:\s]+:\d{1,5}(-\d{1,5})?$/, {
    message: 'listen must be ADDRESS:PORT or ADDRESS:FIRST-LAST',
  })
  listen = '0.0.0.0:6443';

  @Flag(
    'who is behind it: HOST:PORT, or HOST for the same port; repeated, names are looked up again and again',
  )
  @ArrayNotEmpty({ message: 'to must name at least one backend: --to HOST[:PORT]' })
  @Matches(/^[^:\s]+(:\d{1,5})?$/, { each: true, message: 'to must be HOST:PORT or HOST' })
  to: string[] = [];

  @Flag(
    'readyz = only to API servers that say they are ready; none = to every address that a name has',
  )
  @IsIn(['readyz', 'none'])
  check: 'readyz' | 'none' = 'readyz';

  @Flag('how often names are looked up and API servers asked')
  @IsDuration()
  checkInterval = '1s';

  @Flag('how long an API server may take to answer')
  @IsDuration()
  checkTimeout = '2s';

  @Flag(
    'unanswered questions in a row after which the connections to a server are reset; 0 = never',
  )
  @IsInt()
  @Min(0)
  fall = 3;
}

/** An address and its ports, the first of which may be the last. */
export interface Listen {
  readonly address: string;
  readonly ports: readonly number[];
}

/** A host behind the relay; no port = that of the connection. */
export interface Target {
  readonly host: string;
  readonly port?: number;
}

const MAX_PORTS = 1024;

function toPort(text: string, of: string): number {
  const port = Number(text);
  if (port < 1 || port > 65_535) throw new ConfigError(`${of}: a port is 1 to 65535`);
  return port;
}

/** `0.0.0.0:30000-30031` -> its parts. Throws ConfigError for ports that cannot be. */
export function toListen(text: string): Listen {
  const [address = '', range = ''] = text.split(':');
  const [first = 0, last = first] = range
    .split('-')
    .map((port) => toPort(port, `--listen ${text}`));
  if (last < first || last - first >= MAX_PORTS)
    throw new ConfigError(
      `--listen ${text}: a range goes upwards and has at most ${MAX_PORTS} ports`,
    );
  return { address, ports: Array.from({ length: last - first + 1 }, (_, i) => first + i) };
}

/** `apiserver-1:6443` -> its parts. Throws ConfigError for a port that cannot be. */
export function toTarget(text: string): Target {
  const [host = '', port] = text.split(':');
  return port === undefined ? { host } : { host, port: toPort(port, `--to ${text}`) };
}
