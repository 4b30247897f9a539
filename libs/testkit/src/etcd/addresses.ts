import { createServer } from 'node:net';

import type { Random } from '@orrery/component';
import { SystemRandom } from '@orrery/component';

export interface Address {
  readonly host: string;
  readonly port: number;
}

const TRIES = 50;

/** An address nobody listens on: a loopback address of its own where there are many, and a port below the ephemeral ones. */
export async function freeAddress(random: Random = new SystemRandom()): Promise<Address> {
  for (let i = 0; i < TRIES; i++) {
    const address = pick(random);
    if (await canListen(address)) return address;
  }
  throw new Error('no free loopback address was found');
}

function pick(random: Random): Address {
  const below = (n: number): number => Math.floor(random.next() * n);
  const port = 20_000 + below(12_000);
  const host =
    process.platform === 'linux'
      ? `127.${240 + below(12)}.${below(256)}.${1 + below(254)}`
      : '127.0.0.1';
  return { host, port };
}

function canListen({ host, port }: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
