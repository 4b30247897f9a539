import { isIPv4, isIPv6 } from 'node:net';

/** The blocks of one size in a range, by number. */
export interface CidrBlocks {
  /** What they are blocks of. */
  readonly range: string;
  readonly family: 'IPv4' | 'IPv6';
  readonly count: number;
  block(index: number): string;
  /** The number of a block; undefined for what is none of ours. */
  indexOf(cidr: string): number | undefined;
}

const WIDTH = { IPv4: 32, IPv6: 128 } as const;
/** As upstream's allocator: more blocks than this are not told apart. */
const MOST_BITS = 16;

const groupsOf = (text: string): bigint[] =>
  text === '' ? [] : text.split(':').map((group) => BigInt(`0x${group}`));

/** An address of either family as a number. */
export function toNumber(address: string): bigint {
  if (!isIPv6(address))
    return address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  const [head = '', tail] = address.split('::');
  const before = groupsOf(head);
  const after = groupsOf(tail ?? '');
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0n);
  return [...before, ...zeros, ...after].reduce((sum, group) => sum * 65_536n + group, 0n);
}

/** IPv6 in its canonical text, as the URL parser writes it. */
export function toAddress(family: CidrBlocks['family'], value: bigint): string {
  if (family === 'IPv4')
    return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.');
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((value >> BigInt((7 - i) * 16)) & 0xffffn).toString(16),
  );
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

export const familyOf = (cidr: string): CidrBlocks['family'] =>
  cidr.includes(':') ? 'IPv6' : 'IPv4';

/** Splits `range` into blocks of `/maskSize`. Throws RangeError for what is no range of at least one block. */
export function cidrBlocks(range: string, maskSize: number): CidrBlocks {
  const [address = '', length = ''] = range.split('/');
  const family = familyOf(range);
  const bits = Number(length);
  const isAddress = family === 'IPv4' ? isIPv4(address) : isIPv6(address);
  if (!isAddress || !/^\d+$/.test(length) || bits > maskSize || maskSize > WIDTH[family])
    throw new RangeError(`${range} cannot be split into blocks of /${maskSize}`);
  if (maskSize - bits > MOST_BITS)
    throw new RangeError(`${range} has too many blocks of /${maskSize}: at most 2^${MOST_BITS}`);
  const size = 1n << BigInt(WIDTH[family] - maskSize);
  const whole = 1n << BigInt(WIDTH[family] - bits);
  const base = (toNumber(address) / whole) * whole;
  const count = 2 ** (maskSize - bits);
  return {
    range,
    family,
    count,
    block: (index) => `${toAddress(family, base + BigInt(index) * size)}/${maskSize}`,
    indexOf: (cidr) => {
      if (cidr === '' || familyOf(cidr) !== family) return undefined;
      const offset = toNumber(cidr.split('/')[0] ?? '') - base;
      const index = Number(offset / size);
      return offset >= 0n && offset % size === 0n && index < count ? index : undefined;
    },
  };
}

/** The number at the end of a node's name. */
const numberOf = (name: string): number => Number(/(\d+)$/.exec(name)?.[1] ?? Number.NaN);

/** Pure: how many blocks were looked at in vain before this one was chosen for the node. */
export const passedOver = (index: number, name: string): number =>
  index === numberOf(name) ? 0 : index - 1;

/**
 * Pure: the block for a node. The first block is left free; a node whose name ends in a number gets the block of
 * that number when it can, so that ranges do not depend on the order in which nodes come; else the lowest free one.
 */
export function chooseBlock(
  { count }: Pick<CidrBlocks, 'count'>,
  used: ReadonlySet<number>,
  name: string,
): number | undefined {
  const preferred = numberOf(name);
  if (preferred >= 1 && preferred < count && !used.has(preferred)) return preferred;
  for (let index = 1; index < count; index++) if (!used.has(index)) return index;
  return undefined;
}
