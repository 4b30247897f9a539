import { isIP } from 'node:net';
import type { SubCommand } from '../agnhost.js';
import { candidates, query, settingsOf } from './resolver.js';

const TTL = 30;
const TYPES = ['A', 'AAAA', 'CNAME', 'PTR', 'TXT', 'SRV'];

const reversed = (address: string): string =>
  `${address.split('.').reverse().join('.')}.in-addr.arpa`;

interface Question {
  readonly name: string;
  readonly type: string;
  readonly server: string | undefined;
  readonly options: ReadonlySet<string>;
}

function questionOf(args: readonly string[]): Question {
  const options = new Set<string>();
  let [name, type] = ['', 'A'];
  let server: string | undefined;
  for (const [index, word] of args.entries()) {
    if (word.startsWith('+')) options.add(word.slice(1));
    else if (word.startsWith('@')) server = word.slice(1);
    else if (args[index - 1] === '-x' || (word !== '-x' && isIP(word) && name === ''))
      [name, type] = [reversed(word), 'PTR'];
    else if (TYPES.includes(word.toUpperCase())) type = word.toUpperCase();
    else if (!word.startsWith('-')) name = word;
  }
  return { name, type, server, options };
}

/** What dig(1) of BIND prints with +short, or of its answer section. */
export const dig: SubCommand = async (host) => {
  const { name, type, server, options } = questionOf(host.args);
  const settings = settingsOf(host);
  const servers = server === undefined ? settings.servers : [server];
  const names = options.has('search') ? candidates(name, settings) : [name.replace(/\.$/, '')];
  for (const one of names) {
    const found = await query(servers, one, type).catch((error: NodeJS.ErrnoException) => error);
    if (found instanceof Error) {
      if (found.code === 'ETIMEOUT' || found.code === 'ECONNREFUSED') {
        host.print(';; connection timed out; no servers could be reached\n');
        return 9;
      }
      continue;
    }
    for (const data of found)
      host.print(options.has('short') ? `${data}\n` : `${one}.\t${TTL}\tIN\t${type}\t${data}\n`);
    return 0;
  }
  return 0;
};
