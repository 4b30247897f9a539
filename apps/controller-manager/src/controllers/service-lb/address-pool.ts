import { isIPv4 } from 'node:net';
import { ConfigError } from '@orrery/component';

const toNumber = (ip: string): number =>
  ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);

const toText = (value: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');

interface Range {
  readonly first: number;
  readonly last: number;
}

/** A CIDR without its first and last address, or `first-last`. Throws ConfigError. */
function parseRange(text: string): Range {
  const [from = '', to] = text.split('-');
  const [base = '', bits] = from.split('/');
  const prefix = Number(bits);
  if (to !== undefined && isIPv4(from) && isIPv4(to) && toNumber(from) <= toNumber(to))
    return { first: toNumber(from), last: toNumber(to) };
  if (to !== undefined || !isIPv4(base) || !(prefix >= 8 && prefix <= 32))
    throw new ConfigError(
      `--load-balancer-pool: ${text} is neither a CIDR nor a range as 10.0.0.1-10.0.0.9 of IPv4`,
    );
  const size = 2 ** (32 - prefix);
  const first = Math.floor(toNumber(base) / size) * size;
  if (size <= 2) return { first, last: first + size - 1 };
  return { first: first + 1, last: first + size - 2 };
}

/** The addresses that Services may be given, in order. */
export class AddressPool {
  readonly #ranges: readonly Range[];

  constructor(ranges: readonly string[]) {
    this.#ranges = ranges.map(parseRange);
  }

  has(ip: string): boolean {
    if (!isIPv4(ip)) return false;
    const value = toNumber(ip);
    return this.#ranges.some(({ first, last }) => value >= first && value <= last);
  }

  /** The lowest address that is not taken; undefined when none is left. */
  next(taken: ReadonlySet<string>): string | undefined {
    for (const { first, last } of this.#ranges)
      for (let value = first; value <= last; value++)
        if (!taken.has(toText(value))) return toText(value);
    return undefined;
  }
}
