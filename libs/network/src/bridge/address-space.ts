import { isIPv6 } from 'node:net';

const WIDTH = { 4: 32n, 6: 128n } as const;

function valueOf(address: string): bigint {
  if (!isIPv6(address))
    return address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  const [head = '', tail] = address.split('::');
  const groups = (text: string): string[] => text.split(':').filter((group) => group !== '');
  const before = groups(head);
  const after = groups(tail ?? '');
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  return [...before, ...Array.from({ length: zeros }, () => '0'), ...after].reduce(
    (sum, group) => sum * 65_536n + BigInt(`0x${group}`),
    0n,
  );
}

/** The canonical text of an IPv6 address comes from the URL parser, which node has. */
function textOf(family: 4 | 6, value: bigint): string {
  if (family === 4)
    return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.');
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((value >> BigInt((7 - i) * 16)) & 0xffffn).toString(16),
  );
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

/** A subnet whose first address is its gateway's. */
export class Subnet {
  private constructor(
    readonly family: 4 | 6,
    private readonly base: bigint,
    readonly bits: number,
  ) {}

  /** Throws a RangeError for what is no CIDR with room for pods. */
  static parse(cidr: string): Subnet {
    const [address = '', length = ''] = cidr.split('/');
    const family = isIPv6(address) ? 6 : 4;
    const bits = Number(length);
    const isNumeric = family === 6 || /^\d{1,3}(\.\d{1,3}){3}$/.test(address);
    if (
      !isNumeric ||
      length === '' ||
      !Number.isInteger(bits) ||
      bits < 1 ||
      bits > Number(WIDTH[family]) - 2
    )
      throw new RangeError(`invalid subnet "${cidr}"`);
    const shift = WIDTH[family] - BigInt(bits);
    return new Subnet(family, (valueOf(address) >> shift) << shift, bits);
  }

  /** Addresses that pods may have: all but the network's own, the gateway's and, in IPv4, the broadcast address. */
  get size(): bigint {
    return (1n << (WIDTH[this.family] - BigInt(this.bits))) - (this.family === 4 ? 3n : 2n);
  }

  get network(): string {
    return textOf(this.family, this.base);
  }

  get gateway(): string {
    return textOf(this.family, this.base + 1n);
  }

  /** The pod address number `index`, from 0. */
  at(index: bigint): string {
    return textOf(this.family, this.base + 2n + index);
  }

  toString(): string {
    return `${this.network}/${this.bits}`;
  }
}
