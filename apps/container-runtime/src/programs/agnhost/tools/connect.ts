import { lookup } from 'node:dns/promises';
import { connect as connectTo } from 'node:net';
import { parseDuration } from '@orrery/component';
import { Fatal, textOf } from '../agnhost.js';
import type { Agnhost, SubCommand } from '../agnhost.js';
import { parseFlags } from '../flags.js';
import { splitAddress } from '../servers/net.js';

/** One connection; undefined when it stands, else the word that says what is wrong. */
function attempt(
  host: Agnhost,
  target: { readonly host: string; readonly port: number },
  timeoutMs: number,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connectTo(target);
    const end = (word?: string): void => {
      socket.destroy();
      resolve(word);
    };
    if (timeoutMs > 0)
      host.clock.after(timeoutMs, () => {
        end('TIMEOUT');
      });
    socket.once('connect', () => {
      end();
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') end('REFUSED');
      else end(error.code === 'ETIMEDOUT' ? 'TIMEOUT' : `OTHER: ${textOf(error)}`);
    });
  });
}

/** k8s test/images/agnhost/connect: says in one word why a connection cannot be made. */
export const connect: SubCommand = async (host) => {
  const { flags, rest } = parseFlags(host.args, { timeout: '0', protocol: 'tcp' });
  const [destination] = rest;
  if (destination === undefined || rest.length > 1)
    throw new Fatal(`accepts 1 arg(s), received ${rest.length}`);
  const say = (text: string): number => {
    process.stderr.write(`${text}\n`);
    return 1;
  };
  if (flags.protocol !== 'tcp' && flags.protocol !== '') return say('Unsupported protocol');
  let target;
  try {
    target = splitAddress(destination);
  } catch (error) {
    return say(`UNKNOWN: ${textOf(error)}`);
  }
  try {
    const { address } = await lookup(target.host);
    const timeoutMs = flags.timeout === '0' ? 0 : (parseDuration(flags.timeout) ?? 0);
    const problem = await attempt(host, { host: address, port: target.port }, timeoutMs);
    return problem === undefined ? 0 : say(problem);
  } catch (error) {
    return say(`DNS: ${textOf(error)}`);
  }
};
