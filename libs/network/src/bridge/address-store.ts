import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Subnet } from './address-space.js';

/** A file's name for an address: IPv6 has colons. */
const fileName = (address: string): string => address.replaceAll(':', '_');

/**
 * Addresses in use, a file each with its owner, as CNI's host-local keeps them: the next one after the last given out, so
 * that an address is not used again at once.
 */
export class AddressStore {
  constructor(private readonly folder: string) {}

  /** The owner's address of this subnet. Throws an Error when all are in use. */
  allocate(cidr: string, owner: string): string {
    const subnet = Subnet.parse(cidr);
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    const last = this.lastOf(subnet);
    const tries = subnet.size < 65_536n ? subnet.size : 65_536n;
    for (let i = 0n; i < tries; i++) {
      const index = (last + 1n + i) % subnet.size;
      const address = subnet.at(index);
      try {
        writeFileSync(join(this.folder, fileName(address)), owner, { flag: 'wx' });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
        throw error;
      }
      writeFileSync(this.lastFile(subnet), String(index));
      return address;
    }
    throw new Error(
      `no IP addresses available in range set: ${subnet.at(0n)}-${subnet.at(subnet.size - 1n)}`,
    );
  }

  /** Gives back everything that the owner has. */
  release(owner: string): void {
    for (const [name, who] of this.entries())
      if (who === owner) rmSync(join(this.folder, name), { force: true });
  }

  private *entries(): Generator<readonly [string, string]> {
    let names: string[];
    try {
      names = readdirSync(this.folder);
    } catch {
      return;
    }
    for (const name of names)
      if (!name.startsWith('last_')) yield [name, readFileSync(join(this.folder, name), 'utf8')];
  }

  private lastFile(subnet: Subnet): string {
    return join(this.folder, `last_${fileName(subnet.network)}`);
  }

  private lastOf(subnet: Subnet): bigint {
    try {
      return BigInt(readFileSync(this.lastFile(subnet), 'utf8'));
    } catch {
      return -1n;
    }
  }
}
