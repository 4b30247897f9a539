/** The blocks of one size in an IPv4 range, by number. */
export interface CidrBlocks {
  readonly count: number;
  block(index: number): string;
  /** The number of a block; undefined for what is none of ours. */
  indexOf(cidr: string): number | undefined;
}

const toNumber = (address: string): number =>
  address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);

const toAddress = (value: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');

const PATTERN = /^(\d{1,3}(?:\.\d{1,3}){3})\/(\d{1,2})$/;

/** Splits `range` into blocks of `/maskSize`. Throws RangeError for what is no IPv4 range of at least one block. */
export function cidrBlocks(range: string, maskSize: number): CidrBlocks {
  const match = PATTERN.exec(range);
  const bits = Number(match?.[2]);
  if (!match?.[1] || bits > maskSize)
    throw new RangeError(`${range} cannot be split into blocks of /${maskSize}`);
  const size = 2 ** (32 - maskSize);
  const base = Math.floor(toNumber(match[1]) / 2 ** (32 - bits)) * 2 ** (32 - bits);
  const count = 2 ** (maskSize - bits);
  return {
    count,
    block: (index) => `${toAddress(base + index * size)}/${maskSize}`,
    indexOf: (cidr) => {
      const [address = ''] = cidr.split('/');
      const index = (toNumber(address) - base) / size;
      return Number.isInteger(index) && index >= 0 && index < count ? index : undefined;
    },
  };
}

/**
 * Pure: the block for a node. The first block is left free; a node whose name ends in a number gets the block of
 * that number when it can, so that ranges do not depend on the order in which nodes come; else the lowest free one.
 */
export function chooseBlock(
  blocks: CidrBlocks,
  used: ReadonlySet<number>,
  name: string,
): number | undefined {
  const preferred = Number(/(\d+)$/.exec(name)?.[1] ?? Number.NaN);
  if (preferred >= 1 && preferred < blocks.count && !used.has(preferred)) return preferred;
  for (let index = 1; index < blocks.count; index++) if (!used.has(index)) return index;
  return undefined;
}
