import { ConfigError, Flag, IsDuration } from '@orrery/component';
import { ArrayNotEmpty, Matches } from 'class-validator';

const HOST_PORT = /^[^:\s]+:\d{1,5}$/;

/** The flags of `orrery relay`. */
export class RelayFlags {
  @Flag('where it listens: ADDRESS:PORT')
  @Matches(HOST_PORT, { message: 'listen must be ADDRESS:PORT' })
  listen = '0.0.0.0:6443';

  @Flag('an API server behind it: HOST:PORT, repeated; names are looked up again and again')
  @ArrayNotEmpty({ message: 'to must name at least one API server: --to HOST:PORT' })
  @Matches(HOST_PORT, { each: true, message: 'to must be HOST:PORT' })
  to: string[] = [];

  @Flag('how often each API server is asked for its /readyz')
  @IsDuration()
  checkInterval = '1s';

  @Flag('how long it may take to answer')
  @IsDuration()
  checkTimeout = '2s';
}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** `apiserver-1:6443` -> its parts. Throws ConfigError for a port that cannot be. */
export function toEndpoint(text: string): Endpoint {
  const [host = '', portText] = text.split(':');
  const port = Number(portText);
  if (port < 1 || port > 65_535) throw new ConfigError(`${text}: a port is 1 to 65535`);
  return { host, port };
}
