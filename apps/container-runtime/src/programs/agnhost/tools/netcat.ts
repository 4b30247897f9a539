import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { connect, isIPv6 } from 'node:net';
import type { Agnhost, SubCommand } from '../agnhost.js';
import { textOf } from '../agnhost.js';
import { parseFlags } from '../flags.js';

interface Target {
  readonly address: string;
  readonly port: number;
}

interface Options {
  readonly z: boolean;
  readonly w: number;
  /** The source port; 0 = any. */
  readonly p: number;
}

/** The address of a client that has a port of its own: two pods of a host may have the same one. */
const wildcard = ({ listen }: Agnhost, address: string): string =>
  listen || (isIPv6(address) ? '::' : '0.0.0.0');

function tcp(host: Agnhost, { address, port }: Target, options: Options): Promise<void> {
  return new Promise((resolve, reject) => {
    const from = options.p && { localPort: options.p, localAddress: wildcard(host, address) };
    const socket = connect({ host: address, port, ...(from || undefined) });
    const cancel =
      options.w > 0
        ? host.clock.after(options.w * 1000, () => {
            socket.destroy(new Error('Operation timed out'));
          })
        : () => undefined;
    socket.once('error', (error) => {
      cancel();
      reject(error);
    });
    socket.once('connect', () => {
      cancel();
      if (options.z) {
        socket.destroy();
        resolve();
        return;
      }
      process.stdin.pipe(socket);
      socket.pipe(process.stdout, { end: false });
      socket.once('close', () => {
        resolve();
      });
    });
  });
}

/** A datagram is sent; that nobody refuses it is all that can be known. */
function udp(host: Agnhost, { address, port }: Target, options: Options): Promise<void> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.on('message', (message) => {
      host.print(message.toString('utf8'));
    });
    if (options.p) socket.bind(options.p, wildcard(host, address));
    socket.connect(port, address, () => {
      if (options.z) socket.send('X');
      else process.stdin.on('data', (chunk: Buffer) => socket.send(chunk));
      host.clock.after(Math.max(1, options.w) * 1000, () => {
        socket.close();
        resolve();
      });
    });
  });
}

const because = (error: unknown): string =>
  (error as NodeJS.ErrnoException).code === 'ECONNREFUSED' ? 'Connection refused' : textOf(error);

/** `-zvw2` is `-z -v -w 2`. */
const spread = (word: string): string[] =>
  /^-[a-zA-Z0-9]{2,}$/.test(word)
    ? (word.slice(1).match(/[a-zA-Z]|\d+/g) ?? []).map((one) => (/\d/.test(one) ? one : `-${one}`))
    : [word];

/** nc(1) of OpenBSD, as a client. */
export const netcat: SubCommand = async (host) => {
  const letters = {
    z: 'z',
    v: 'v',
    t: 't',
    u: 'u',
    n: 'n',
    w: 'w',
    p: 'p',
    N: 'N',
    4: '4',
    6: '6',
  };
  const defaults = {
    z: false,
    v: false,
    t: false,
    u: false,
    n: false,
    w: 0,
    p: 0,
    N: false,
    4: false,
    6: false,
  };
  const { flags, rest } = parseFlags(host.args.flatMap(spread), defaults, letters);
  const [name = '', port = ''] = rest;
  const kind = flags.u ? 'udp' : 'tcp';
  const say = (text: string): void => {
    if (flags.v) process.stderr.write(`${text}\n`);
  };
  try {
    const { address } = await lookup(name);
    await (flags.u ? udp : tcp)(host, { address, port: Number(port) }, flags);
    say(`Connection to ${name} ${port} port [${kind}/*] succeeded!`);
    return 0;
  } catch (error) {
    say(`nc: connect to ${name} port ${port} (${kind}) failed: ${because(error)}`);
    return 1;
  }
};
