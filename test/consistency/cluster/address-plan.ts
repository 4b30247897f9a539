import { createServer } from 'node:net';
import type { Random } from '@orrery/component';
import type { RelayAddress } from './relay.js';

const TRIES = 40;
const PORT = 23_000;
const PORTS_EACH = 64;

/**
 * Addresses of one run: where a machine has all of 127/8 an address for each listener in `127.BLOCK.x`, else ports of
 * 127.0.0.1; always below 32768, where no outgoing connection takes them.
 */
export class AddressPlan {
  private used = 0;

  private constructor(
    private readonly block: number,
    private readonly slot: number,
  ) {}

  /** Finds a slot in which nobody listens. */
  static async find(block: number, random: Random): Promise<AddressPlan> {
    for (let i = 0; i < TRIES; i++) {
      const plan = new AddressPlan(block, 1 + Math.floor(random.next() * 120));
      if (await isFree(plan.at(0))) return plan;
    }
    throw new Error(`no free addresses in 127.${block}.0.0/16`);
  }

  /** The next listener's address. */
  next(): RelayAddress {
    return this.at(this.used++);
  }

  /** A range for Services, which lies in the block too. */
  get serviceRange(): string {
    return `127.${this.block}.128.0/17`;
  }

  private at(index: number): RelayAddress {
    return process.platform === 'linux'
      ? { host: `127.${this.block}.${this.slot}.${index + 1}`, port: PORT }
      : { host: '127.0.0.1', port: PORT + this.slot * PORTS_EACH + index };
  }
}

function isFree({ host, port }: RelayAddress): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
