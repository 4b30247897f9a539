import { isIP } from 'node:net';
import { ConfigError } from '@orrery/component';
import { familyOf, toAddress, toNumber } from '../node-ipam/cidr-blocks.js';
import type { CidrBlocks } from '../node-ipam/cidr-blocks.js';

type Family = CidrBlocks['family'];

interface Range {
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
}

const BITS = { IPv4: 32, IPv6: 128 } as const;
/** Greater ranges are mistakes. */
const MOST_BITS = 24;

/** A CIDR without its first and last address, or `first-last`. Throws ConfigError. */
function parseRange(text: string): Range {
  const [from = '', to] = text.split('-');
  const [base = '', bits] = from.split('/');
  const family = familyOf(from);
  const prefix = Number(bits);
  const isRange = to !== undefined && isIP(from) !== 0 && isIP(to) !== 0 && familyOf(to) === family;
  if (isRange && toNumber(from) <= toNumber(to))
    return { family, first: toNumber(from), last: toNumber(to) };
  const width = BITS[family];
  const isCidr = to === undefined && isIP(base) !== 0 && prefix >= width - MOST_BITS;
  if (!isCidr || prefix > width)
    throw new ConfigError(
      `--load-balancer-pool: ${text} is neither a CIDR nor a range as 10.0.0.1-10.0.0.9`,
    );
  const size = 1n << BigInt(width - prefix);
  const first = (toNumber(base) / size) * size;
  if (size <= 2n) return { family, first, last: first + size - 1n };
  return { family, first: first + 1n, last: first + size - 2n };
}

/** The addresses that Services may be given, in order. */
export class AddressPool {
  readonly #ranges: readonly Range[];

  constructor(ranges: readonly string[]) {
    this.#ranges = ranges.map(parseRange);
  }

  has(ip: string): boolean {
    if (isIP(ip) === 0) return false;
    const value = toNumber(ip);
    return this.#ranges.some(
      ({ family, first, last }) => family === familyOf(ip) && value >= first && value <= last,
    );
  }

  /** The lowest address of that family that is not taken; undefined when none is left. */
  next(taken: ReadonlySet<string>, wanted: string = 'IPv4'): string | undefined {
    for (const { family, first, last } of this.#ranges)
      for (let value = first; family === wanted && value <= last; value++) {
        const address = toAddress(family, value);
        if (!taken.has(address)) return address;
      }
    return undefined;
  }
}
